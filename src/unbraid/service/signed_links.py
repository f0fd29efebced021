"""Links to what jobs have made, for those who need not sign in, until they expire.

They are signed (HMAC-SHA256), so that nobody can make one or change when it ends.
"""

import base64
import hmac
import json
import time

from unbraid.service.refusals import NotAllowed
from unbraid.service.sessions import key_for


class SignedLinks:
    """Signs links, and tells those that were signed.

    Args:
        secret: of the server.
    """

    def __init__(self, secret: str) -> None:
        self._key = key_for("link", secret)

    def signature(self, job_id: str, name: str, expires: int) -> str:
        """What shows that a file of a job may be read until a time."""
        signed = hmac.digest(self._key, json.dumps([job_id, name, expires]).encode(), "sha256")
        return base64.urlsafe_b64encode(signed).rstrip(b"=").decode()

    def check(self, job_id: str, name: str, expires: int, signature: str) -> None:
        """Refuse a link that was not signed here, or is over.

        Raises:
            NotAllowed: it is so.
        """
        right = self.signature(job_id, name, expires)
        if not hmac.compare_digest(right.encode(), signature.encode()):
            raise NotAllowed("this link is not one of this server's; ask for another")
        if expires < time.time():
            raise NotAllowed("this link has expired; ask for another")
