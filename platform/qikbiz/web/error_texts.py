"""What an error page says: what happened, what to do, and a link. Plain words, nothing that names a tenant."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ErrorText:
    """`link` is a link's text and address; `again` offers to reload the page."""

    status: int
    title: str
    happened: str
    do: str
    link: tuple[str, str] | None = ("Go to home page", "/")
    again: bool = False


TEXTS: dict[str, ErrorText] = {
    "bad_request": ErrorText(
        400,
        "This request could not be processed",
        "Something in the request was missing or not valid. Nothing was changed.",
        "Go back, reload the page and try again.",
    ),
    "csrf": ErrorText(
        403,
        "This form has expired",
        "The form was opened before you signed in again, or in another session. Nothing was changed.",
        "Go back, reload the page and send the form again.",
    ),
    "cookies_refused": ErrorText(
        403,
        "Cookies are required to sign in",
        "Your browser did not keep the cookie of the sign-in page, so we can't tell your form from someone else's.",
        "Allow cookies for this address, reload the sign-in page and try again.",
        ("Go to sign-in page", "/login"),
    ),
    "login_needed": ErrorText(
        401,
        "Sign in to continue",
        "You are not signed in, or your session has ended.",
        "After you sign in, we take you to the page you requested.",
        ("Sign in", "/login"),
    ),
    "forbidden": ErrorText(
        403,
        "You don't have access",
        "Your role does not allow this page or action.",
        "If you need it, ask an administrator of your organisation.",
    ),
    "broken_link": ErrorText(
        403,
        "This link does not work",
        "It is not one of our links, was changed, or belongs to a user who is not here. Nothing was changed.",
        "Copy the whole link from the email, or sign in and choose your emails under “Notifications” in the settings.",
    ),
    "read_only": ErrorText(
        403,
        "This account is closing",
        "An administrator is closing this account. Records can be read but not changed. Nothing was changed.",
        "An administrator can cancel the closure under Settings, Close your account.",
    ),
    "blocked": ErrorText(
        403,
        "This address is temporarily blocked",
        "There were too many failed or suspicious requests from your IP address, so sign-in from it is blocked for a "
        "while. Users who are already signed in can continue to work.",
        "Wait a while and try again. If the block continues, tell your network administrator the reference below.",
        None,
        again=True,
    ),
    "tenant_suspended": ErrorText(
        403,
        "This workspace is suspended",
        "Its records can be read and exported, but not changed. Nothing was changed.",
        "Its administrators got an email with the reason. You can ask our support under Help.",
    ),
    "not_found": ErrorText(
        404,
        "Page not found",
        "This page or record does not exist, was deleted, or you don't have access to it.",
        "Check the address, or search for the record by name.",
    ),
    "unknown_host": ErrorText(
        404,
        "Workspace not found",
        "No workspace uses this address.",
        "Check the spelling, or ask the person who sent you the link.",
        None,
    ),
    "method_not_allowed": ErrorText(
        405,
        "This action is not available here",
        "The address exists, but does not support what the browser requested. Nothing was changed.",
        "Go back and use the buttons on the page.",
    ),
    "timeout": ErrorText(
        503,
        "This took too long",
        "The page took too long to load and was stopped. Nothing was changed.",
        "Try again, or narrow the search or list.",
        again=True,
    ),
    "conflict": ErrorText(
        409,
        "This is not possible right now",
        "It was changed by someone else, or its current state does not allow this. Nothing was overwritten.",
        "Go back, reload the page and check what has changed.",
    ),
    "outside_networks": ErrorText(
        403,
        "Network not allowed",
        "This organisation allows sign-in only from its own networks.",
        "Sign in from an allowed network, for example over your company's VPN. An administrator can also use an "
        "emergency code.",
        ("Use an emergency code", "/break-glass"),
    ),
    "sso_only": ErrorText(
        403,
        "Single sign-on required",
        "This organisation allows sign-in only through its own identity provider. Passwords, passkeys, emailed links "
        "and remembered devices do not work.",
        "Sign in with single sign-on. If the provider is down, an administrator can use an emergency code.",
        ("Sign in with single sign-on", "/login"),
    ),
    "half_login_ended": ErrorText(
        410,
        "This sign-in has expired",
        "It took longer than ten minutes, was already completed, or the password or its rules have changed.",
        "Sign in again from the beginning.",
        ("Sign in", "/login"),
    ),
    "gone": ErrorText(
        410,
        "No longer available",
        "This has expired or was permanently deleted.",
        "Request it again from the page where you found it.",
    ),
    "tenant_closed": ErrorText(
        410,
        "This workspace is closed",
        "The workspace at this address was closed.",
        "If you still need something from it, contact the organisation.",
        None,
    ),
    "too_large": ErrorText(
        413,
        "Too large",
        "The file or text is larger than this page allows. Nothing was saved.",
        "Send it in smaller parts.",
    ),
    "too_many": ErrorText(
        429,
        "Too many requests",
        "This was requested too often in a short time.",
        "Wait a minute and try again.",
        again=True,
    ),
    "bug": ErrorText(
        500,
        "Something went wrong",
        "This is an error on our side. Your last action was not saved, and nothing was partly changed.",
        "Try again. If it happens again, send support the reference below so that we can find the cause.",
        again=True,
    ),
    "disk_full": ErrorText(
        507,
        "The disk is full",
        "There is no space left on the server's disk. Nothing was saved, and nothing was partly changed.",
        "Try again later, when the operator of this service has freed space. Data saved before is safe.",
        again=True,
    ),
    "unavailable": ErrorText(
        503,
        "Temporarily unavailable",
        "The service can't respond right now.",
        "Try again in a minute. Data saved before is safe.",
        again=True,
    ),
    "maintenance": ErrorText(
        503,
        "Updating",
        "This workspace is being updated to a new version. Your records are not affected.",
        "This usually takes less than a minute. Reload the page.",
        again=True,
    ),
    "database_away": ErrorText(
        503,
        "Records unavailable",
        "The database server does not respond right now. Data saved before is safe. Your last change was not saved.",
        "Try again in a minute.",
        again=True,
    ),
    "redis_away": ErrorText(
        503,
        "Sign-in is not possible right now",
        "The server that keeps sessions does not respond. No records are affected.",
        "Try again in a minute. Data saved before is safe.",
        again=True,
    ),
}
