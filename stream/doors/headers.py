"""What every HTTP answer says to browsers, errors included; pages say more of their own."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",  # for browsers that don't know frame-ancestors
    "Cache-Control": "no-store",  # what devices do is nothing to be kept by proxies
}


def guarded(application: ASGIApp) -> ASGIApp:
    """Wrap an application so that its answers have these headers where it sets none itself."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in ALWAYS.items():
                    headers.setdefault(name, value)
            await send(message)

        await application(scope, receive, send_guarded if scope["type"] == "http" else send)

    return app
