"""Pages of a server that asks for tokens: from the address's fragment, or from a field."""

import pytest
from playwright.async_api import BrowserContext, Page, expect

from stream.service import Service
from tests.pages.motion import Motion
from tests.pages.test_access import faults
from tests.pages.test_dashboard import begin
from tests.pages.test_face_up import check
from tests.pages.test_phone import opened, start
from tests.pages.test_waves import until_watched
from tests.shell.access import Keys


@pytest.fixture
async def page(context: BrowserContext) -> Page:
    """A page that may be refused, which browsers log as errors."""
    return await context.new_page()


async def give(page: Page, token: str) -> None:
    await page.get_by_label("Token").fill(token)
    await page.get_by_role("button", name="Use it").click()


async def test_a_phone_streams_with_the_token_of_its_address(
    page: Page, guarded: Service, keys: Keys
) -> None:
    await Motion.of(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    await page.goto(f"{guarded.http_url}/phone#token={keys.device}")
    await page.get_by_label("Name of this phone").fill("pixel-7")
    await start(page)
    await expect(page.locator("#connection")).to_have_text("Connected")
    assert keys.device not in page.url
    assert any("/v1/stream" in url for url in asked)
    assert not [url for url in asked if "token=" in url or keys.device[12:] in url]
    await page.reload()
    await start(page)
    await expect(page.locator("#connection")).to_have_text("Connected")


async def test_a_phone_asks_and_goes_on_with_what_it_kept(
    page: Page, guarded: Service, keys: Keys
) -> None:
    await Motion.of(page)
    await opened(page, guarded.http_url)
    await start(page)
    await expect(page.get_by_label("Token")).to_be_visible()
    await expect(page.locator("#activity")).to_have_text("A token is needed")
    await expect(page.locator("#problem")).to_contain_text("Enter the token above")
    assert await faults(page) == []
    await give(page, "nonsense")
    await expect(page.locator("#token-help")).to_contain_text("no whole token")
    await give(page, keys.revoked)
    await expect(page.locator("#token-help")).to_contain_text("gaitway token add")
    await give(page, keys.device)
    await expect(page.locator("#connection")).to_have_text("Connected")
    await expect(page.get_by_label("Token")).to_have_count(0)
    await expect(page.locator("#activity")).not_to_have_text("A token is needed")
    await expect(page.locator("#problem")).to_be_hidden()


async def test_half_a_token_in_the_address_is_called_that(page: Page, guarded: Service) -> None:
    await page.goto(f"{guarded.http_url}/#token=gw-half")
    await expect(page.locator("#token-help")).to_contain_text("not whole: scan the code again")
    await expect(page.locator("#devices")).to_be_hidden()
    assert await faults(page) == []


async def test_a_phone_of_another_name_is_told_whose_the_token_is(
    page: Page, guarded: Service, keys: Keys
) -> None:
    await Motion.of(page)
    await page.goto(f"{guarded.http_url}/phone#token={keys.other}")
    await page.get_by_label("Name of this phone").fill("pixel-7")
    await start(page)
    await expect(page.locator("#problem")).to_contain_text("this token is for device ann")
    await expect(page.get_by_label("Token")).to_be_visible()
    await page.get_by_label("Name of this phone").fill("ann")
    await start(page)
    await expect(page.locator("#connection")).to_have_text("Connected")
    await expect(page.get_by_label("Token")).to_have_count(0)


async def test_the_dashboard_asks_and_shows_whom_it_may(
    page: Page, guarded: Service, keys: Keys
) -> None:
    for name in ("ann", "pixel-7"):
        begin(guarded, name, "Walking")
    await page.goto(guarded.http_url)
    await expect(page.get_by_label("Token")).to_be_visible()
    await give(page, keys.device)
    await expect(page.locator("#token-help")).to_contain_text("it watches nobody")
    await give(page, keys.watch)
    await expect(page.locator("#connection")).to_have_text("Live")
    await expect(page.locator("[data-device]")).to_have_count(1)
    await expect(page.locator("[data-device=pixel-7]")).to_be_visible()


async def test_the_dashboards_own_requests_show_the_token_too(
    page: Page, guarded: Service, keys: Keys
) -> None:
    begin(guarded, "pixel-7", "Walking")
    await page.goto(f"{guarded.http_url}/#token={keys.phones}")
    tile = page.locator("[data-device=pixel-7]")
    await expect(tile).to_be_visible()
    await until_watched(guarded, "pixel-7", wanted=True)
    await tile.get_by_text("Check the signs").click()
    await tile.get_by_role("button", name="It lies face up").click()
    await expect(tile.locator(".answer")).to_contain_text("pixel-7 sends nothing")


async def test_the_phones_check_of_its_signs_shows_the_token_too(
    page: Page, guarded: Service, keys: Keys
) -> None:
    await Motion.of(page)
    await page.goto(f"{guarded.http_url}/phone#token={keys.device}")
    await check(page, guarded.http_url)
    await expect(page.locator("#up-said")).to_contain_text("right already")
