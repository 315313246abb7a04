"""Signing in and out with email address and password."""


def test_alice_logs_in_and_sees_her_home(log_in, world):
    page = log_in(world.alice).get("/")
    assert page.status_code == 200
    assert "Alice" in page.text


def test_a_wrong_password_is_refused(browser_at, world):
    page = browser_at("acme.localhost").log_in(world.alice.email, "not the password of Alice")
    assert page.status_code == 401


def test_staff_log_in_at_the_console(log_in, world):
    browser = log_in(world.olivia)
    assert browser.follow(browser.get("/")).status_code == 200


def test_logging_out_ends_the_session(log_in, world):
    browser = log_in(world.alice)
    cookies = browser.cookies()
    gone = browser.post("/logout")
    assert gone.status_code == 303
    for name, value in cookies.items():
        browser.set_cookie(name, value)
    assert browser.get("/").status_code == 303
