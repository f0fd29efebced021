"""The server process."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator

import uvicorn

from unbraid.errors import ResourceError
from unbraid.service.app import create_app
from unbraid.service.house import House, sole
from unbraid.service.log import log_as_json
from unbraid.service.security import check_mode
from unbraid.service.settings import Settings
from unbraid.service.tracing import export_spans

MAX_WISH_BYTES = 1 << 12  # that a WebSocket takes
CLOSE_S = 5  # that answers may take to end when the server is stopped


def serve(settings: Settings, on_start: Callable[[str], None]) -> None:
    """Serve until told to stop.

    Args:
        settings: of the server.
        on_start: gets its address once it listens.

    Raises:
        InputError: it may not listen at that address, or lacks what keeps it safe.
        ResourceError: the address is taken, or another server has the data folder.
        MissingExtraError: the database's driver, or what sends spans, is not installed.
    """
    check_mode(settings)
    log_as_json()
    export_spans()
    with sole(settings.data), contextlib.closing(_listen(settings)) as listener:
        port = listener.getsockname()[1]
        name = f"[{settings.host}]" if ":" in settings.host else settings.host
        app = create_app(settings)
        app.state.house.database.migrate()
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="on",
            timeout_graceful_shutdown=CLOSE_S,
            server_header=False,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=list(settings.trusted_proxies),
            ws_max_size=MAX_WISH_BYTES,
        )
        on_start(f"http://{name}:{port}")
        _Server(config, app.state.house).run(sockets=[listener])


class _Server(uvicorn.Server):
    """Ends streams of events before it waits for answers to end."""

    def __init__(self, config: uvicorn.Config, house: House) -> None:
        super().__init__(config)
        self._house = house

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let signals stop the server, and nothing more."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._house.watch.close()
        await super().shutdown(sockets)


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as error:
        raise ResourceError(
            f"port {settings.port} cannot be had ({error.strerror}); choose another with --port"
        ) from error
