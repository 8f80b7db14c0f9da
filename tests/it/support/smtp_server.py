"""A mail server that asks for encryption and for a sign-in.

It tells its port in the first line and each mail that it takes in one more, as Python's own library reads it. It ends
when nothing more can come from its standard input.
"""

import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

door, certificate, key, user, password = sys.argv[1:]


class Inbox:
    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
        parts = [part for part in mail.walk() if not part.is_multipart()]
        tell(
            {
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "cipher": server.transport.get_extra_info("cipher")[0],
                "login": session.auth_data,
                "type": mail.get_content_type(),
                "defects": [repr(defect) for part in mail.walk() for defect in part.defects],
                "headers": {name.lower(): str(value) for name, value in mail.items()},
                "parts": {part.get_content_type(): part.get_content() for part in parts},
            }
        )
        return "250 taken"


def tell(what):
    print(json.dumps(what), flush=True)


def sign_in(server, session, envelope, mechanism, login):
    right = (login.login, login.password) == (user.encode(), password.encode())
    return AuthResult(success=right, auth_data=user, handled=False)


def session(context):
    starts_plain = door == "StartTls"
    return SMTP(
        Inbox(),
        hostname="localhost",
        authenticator=sign_in,
        auth_required=True,
        auth_require_tls=starts_plain,
        require_starttls=starts_plain,
        tls_context=context if starts_plain else None,
        loop=asyncio.get_running_loop(),
    )


async def main():
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    encrypted = context if door == "Tls" else None
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: session(context), "127.0.0.1", 0, ssl=encrypted)
    tell(server.sockets[0].getsockname()[1])
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
