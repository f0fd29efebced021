/** The studio: what stands around every view, and which view it is. */
import { useQuery } from "@tanstack/react-query";
import { useStore } from "zustand";
import { api, body, Gone } from "./api/client";
import { BringPage } from "./features/bring/page";
import { JobPage } from "./features/job/page";
import { NowherePage } from "./features/nowhere";
import { routeOf, usePath } from "./route";
import { live } from "./state/live";
import { themeNow, useLook } from "./state/look";
import { IconButton, Link } from "./ui/controls";
import { Icon, Mark } from "./ui/icons";

export function Studio() {
  const route = routeOf(usePath());
  return (
    <div className="flex min-h-dvh flex-col">
      <a
        href="#main"
        className="sr-only focus:not-sr-only focus:fixed focus:left-4 focus:top-3 focus:z-50 focus:rounded-full focus:bg-accent focus:px-4 focus:py-2 focus:text-on-accent"
      >
        Skip to the content
      </a>
      <Header home={route.view === "home"} />
      <ServerGone />
      <main id="main" className="mx-auto w-full max-w-7xl flex-1 px-4 pb-20 sm:px-6 lg:px-8">
        {route.view === "home" && <BringPage />}
        {route.view === "job" && <JobPage key={route.id} id={route.id} />}
        {route.view === "nowhere" && <NowherePage />}
      </main>
      <footer className="mx-auto w-full max-w-7xl px-4 pb-8 text-sm text-quiet sm:px-6 lg:px-8">
        Your recordings stay on this server.{" "}
        <a className="underline" href="/docs">
          API
        </a>
      </footer>
    </div>
  );
}

function Header({ home }: { home: boolean }) {
  useLook((look) => look.chosen); // painted anew when it changes
  const theme = themeNow();
  const other = theme === "dark" ? "light" : "dark";
  return (
    <header className="mx-auto flex w-full max-w-7xl items-center gap-3 px-4 py-4 sm:px-6 lg:px-8">
      <Link
        href="/"
        className="flex items-center gap-2.5 rounded-lg text-xl font-semibold tracking-tight"
      >
        <Mark />
        unbraid
      </Link>
      <nav aria-label="Studio" className="ml-auto flex items-center gap-1">
        {!home && (
          <Link
            href="/"
            className="flex min-h-9 items-center gap-1 rounded-full px-3 text-[0.9375rem] text-quiet hover:bg-lifted hover:text-text"
          >
            <Icon name="back" /> Library
          </Link>
        )}
        <IconButton
          icon={theme === "dark" ? "sun" : "moon"}
          label={`Use the ${other} theme`}
          onClick={() => useLook.getState().choose(other)}
        />
      </nav>
    </header>
  );
}

/** Says that the server is gone, and asks for it until it is back. */
function ServerGone() {
  const lostAt = useStore(live, (state) => state.lostAt);
  const health = useQuery({
    queryKey: ["health"],
    queryFn: ({ signal }) => body(api.GET("/health", { signal })),
    refetchInterval: ({ state }) => (state.error || state.dataUpdatedAt < lostAt ? 1_500 : 20_000),
    retry: false,
    networkMode: "always",
  });
  if (!(health.error instanceof Gone) && health.dataUpdatedAt >= lostAt) return null;
  return (
    <div
      role="status"
      className="sticky top-0 z-40 bg-warn px-4 py-2 text-center text-[0.9375rem] font-medium text-ground"
    >
      The server does not answer. What was done is kept; this page goes on when it is back.
    </div>
  );
}
