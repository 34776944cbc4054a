#!/usr/bin/env python3
"""Receives mails on a free port of 127.0.0.1 and writes each as a line of JSON: {"to", "subject", "text", "html"}."""

import asyncio
import email
import email.policy
import json

from aiosmtpd.smtp import SMTP


class Writer:
    async def handle_DATA(self, _server, _session, envelope) -> str:  # noqa: N802  aiosmtpd's name
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        text, html = message.get_body(("plain",)), message.get_body(("html",))
        for recipient in envelope.rcpt_tos:
            mail = {
                "to": recipient,
                "subject": message["Subject"],
                "text": text.get_content() if text else "",
                "html": html.get_content() if html else "",
            }
            print(json.dumps(mail), flush=True)
        return "250 OK"


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Writer(), hostname="mail.example", enable_SMTPUTF8=True), "127.0.0.1", 0)
    print(f"listening on {server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


asyncio.run(main())
