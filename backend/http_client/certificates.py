"""Which certificates are trusted: those that SSL_CERT_FILE and SSL_CERT_DIR name.

Both are variables of OpenSSL, which most programs know. They stand in place of the list
of public authorities that comes with Dubito.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import httpx

from dubito.backend.http_client.explanation import Explanation, NoRouteError

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE, DIRECTORY = "SSL_CERT_FILE", "SSL_CERT_DIR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """Where the certificates that are trusted lie; the public ones if nowhere."""

    file: str = ""
    directory: str = ""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Read where they lie; whether they can be read is seen later."""
        return cls(file=environ.get(FILE, ""), directory=environ.get(DIRECTORY, ""))

    def context(self) -> ssl.SSLContext:
        """Return what TLS is spoken with.

        Raises
        ------
        NoRouteError
            if the certificates cannot be read
        """
        if not (self.file or self.directory):
            return httpx.create_ssl_context(trust_env=False)
        if self.directory and not Path(self.directory).is_dir():
            what = f"{DIRECTORY} is {self.directory!r}, which is not a directory"
            raise NoRouteError(Explanation(what, "correct or unset it"))
        try:
            return ssl.create_default_context(
                cafile=self.file or None, capath=self.directory or None
            )
        except ssl.SSLError as error:  # which is an OSError, too
            what = f"{FILE} is {self.file!r}, which contains no PEM certificate"
            cure = "use a file with a line -----BEGIN CERTIFICATE-----"
            raise NoRouteError(Explanation(what, cure)) from error
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            what = f"{FILE} is {self.file!r}, which cannot be read ({reason})"
            raise NoRouteError(Explanation(what, "correct or unset it")) from error

    def cure(self) -> str:
        """Say how a certificate that is not trusted becomes trusted."""
        certificate = (
            "the certificate, as PEM, of the authority that signed it (or itself, if"
            " it is self-signed)"
        )
        if self.file:
            return f"{FILE} is {self.file!r}: add to this file {certificate}"
        if self.directory:
            return (
                f"{DIRECTORY} is {self.directory!r}: put {certificate} there, then run"
                f" `openssl rehash` on it; or set {FILE} to a file"
            )
        return f"set {FILE} to a file with {certificate}"
