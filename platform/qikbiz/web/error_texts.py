"""What an error page says: what happened, what to do, and a way on. Plain words, nothing that names a tenant."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ErrorText:
    """`way_on` is a link's text and address; `again` offers to load the page once more."""

    status: int
    title: str
    happened: str
    do: str
    way_on: tuple[str, str] | None = ("Go to the start page", "/")
    again: bool = False


TEXTS: dict[str, ErrorText] = {
    "bad_request": ErrorText(
        400,
        "That could not be understood",
        "Something in what the browser sent was missing or not in the expected form. Nothing was changed.",
        "Go back, load the page again and repeat what you did.",
    ),
    "csrf": ErrorText(
        403,
        "This form is too old",
        "The form was opened before you logged in again, or in another session, so it was not accepted. "
        "Nothing was changed.",
        "Go back, load the page again and send the form once more.",
    ),
    "cookies_refused": ErrorText(
        403,
        "Cookies are needed to log in",
        "The browser did not keep the cookie of the login page, so we can't tell your form from someone else's.",
        "Allow cookies for this address, load the login page again and try once more.",
        ("To the login page", "/login"),
    ),
    "login_needed": ErrorText(
        401,
        "Please log in",
        "You are not logged in, or your session has ended.",
        "Log in and you will be taken to where you wanted to go.",
        ("Log in", "/login"),
    ),
    "forbidden": ErrorText(
        403,
        "You may not do this",
        "Your role does not include this page or action.",
        "If you need it, ask an administrator of your organisation.",
    ),
    "broken_link": ErrorText(
        403,
        "This link does not work",
        "It was not made by us, was changed on its way, or belongs to a login that is not here. Nothing was changed.",
        "Copy the whole link from the mail, or log in and choose your mails under “Notifications” in the settings.",
    ),
    "read_only": ErrorText(
        403,
        "This account is closing",
        "An administrator has closed this account, so its records can be read but not changed. Nothing was changed.",
        "An administrator can call the closing off under Settings, Close your account.",
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
        "There is nothing here",
        "The page or record does not exist, was deleted, or is not for you.",
        "Check the address, or look for it by its name.",
    ),
    "unknown_host": ErrorText(
        404,
        "Nobody is at this address",
        "No organisation uses this address with us.",
        "Check the spelling. If somebody sent you the link, ask them for the right one.",
        None,
    ),
    "method_not_allowed": ErrorText(
        405,
        "That does not work here",
        "The address exists, but not for what the browser tried to do with it. Nothing was changed.",
        "Go back and use the buttons of the page.",
    ),
    "timeout": ErrorText(
        503,
        "That took too long",
        "The answer would have taken longer than a page may, so it was stopped. Nothing was changed.",
        "Try again, or ask for less at once: a narrower search, a shorter list.",
        again=True,
    ),
    "conflict": ErrorText(
        409,
        "This can't be done now",
        "It was changed meanwhile, or is not in a state that allows this. Nothing was overwritten.",
        "Go back, look at what is there now and decide again.",
    ),
    "outside_networks": ErrorText(
        403,
        "Not from this network",
        "This organisation lets people log in only from its own networks.",
        "Come back from inside, for example over your company's VPN. An administrator can also use a break-glass code.",
        ("Use a break-glass code", "/break-glass"),
    ),
    "sso_only": ErrorText(
        403,
        "Only by single sign-on here",
        "This organisation lets people log in only through its own identity provider, so passwords, passkeys, mailed "
        "links and remembered devices open nothing.",
        "Log in by single sign-on. If the provider is down, an administrator can use a break-glass code.",
        ("Log in by single sign-on", "/login"),
    ),
    "half_login_ended": ErrorText(
        410,
        "This login is over",
        "It took longer than ten minutes, was finished already, or the password or the rules for it were changed "
        "meanwhile.",
        "Log in again from the beginning.",
        ("Log in", "/login"),
    ),
    "gone": ErrorText(
        410,
        "This is gone",
        "What was here has expired or was removed for good.",
        "Ask for it anew from the page where you found it.",
    ),
    "tenant_closed": ErrorText(
        410,
        "This workspace is closed",
        "The workspace at this address was closed.",
        "If you still need something from it, ask the organisation itself.",
        None,
    ),
    "too_large": ErrorText(
        413,
        "That is too large",
        "The file or text is larger than this page takes. Nothing was saved.",
        "Send it in smaller parts.",
    ),
    "too_many": ErrorText(
        429,
        "A little slower, please",
        "That was asked too often in a short time.",
        "Wait a minute and try again.",
        again=True,
    ),
    "bug": ErrorText(
        500,
        "This is our mistake",
        "Something went wrong on our side. What you did was not saved, and nothing was changed halfway.",
        "Try again. If it happens once more, tell support the reference below; it leads us to what went wrong.",
        again=True,
    ),
    "disk_full": ErrorText(
        507,
        "The disk is full",
        "There is no room left on the server's disk. Nothing was saved, and nothing was changed halfway.",
        "Try again later: whoever runs this service has to make room first. What was saved before is safe.",
        again=True,
    ),
    "unavailable": ErrorText(
        503,
        "Back in a moment",
        "The service can't answer just now.",
        "Try again in a minute. What was saved before is safe.",
        again=True,
    ),
    "maintenance": ErrorText(
        503,
        "Being brought up to date",
        "This workspace is being changed over to a new version. Nobody's records are touched by it.",
        "It usually takes less than a minute. Load the page again.",
        again=True,
    ),
    "database_away": ErrorText(
        503,
        "The records can't be reached",
        "The server that keeps the records does not answer just now. What was saved before is safe; "
        "what you just sent was not saved.",
        "Try again in a minute.",
        again=True,
    ),
    "redis_away": ErrorText(
        503,
        "Logging in is not possible just now",
        "A server that keeps track of who is logged in does not answer. No records are affected.",
        "Try again in a minute; you will not have to repeat anything you have saved.",
        again=True,
    ),
}
