"""The operator's page: one document, put together from its parts."""

from functools import cache
from importlib.resources import files

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_SCRIPTS = ("page.js", "breakers.js", "operations.js", "providers.js")


@cache
def page_html(*, steerable: bool, has_providers: bool) -> str:
    """The page, with buttons if it is ``steerable``, and with the providers of orchestrators if there are any."""
    return (
        _part("page.html")
        .replace("{{style}}", _part("style.css"))
        .replace("{{script}}", "".join(map(_part, _SCRIPTS)))
        .replace("{{steerable}}", str(steerable).lower())
        .replace("{{providers}}", str(has_providers).lower())
    )


def _part(name: str) -> str:
    return files("halfopen.fastapi").joinpath("page", name).read_text("utf-8")
