# SPDX-License-Identifier: Apache-2.0
"""A real Chromium with a profile of its own, driven as a person would: look, type, press, go back."""

import base64
import contextlib
import itertools
import re
import shutil
import urllib.parse

import harness
import tokens
from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException, WebDriverException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

#: Pictures that a run leaves behind.
PICTURES = harness.BUILD_DIR / "browser"
#: It talks to the sites of this run alone, and asks nobody for updates.
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-extensions",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
         "--ignore-certificate-errors", "--window-size=1280,800",
         "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost")
#: How pages are looked at: name: (width, height, phone)
VIEWS = {"desktop": (1280, 800, False), "phone": (390, 844, True)}
BLOCKED = 2
#: Seconds for a page, on a machine that has more to do.
PATIENCE = 60
REFUSED = re.compile(r"^(\S+) - Failed to load resource: the server responded with a status of 4\d\d ")
GONE = (StaleElementReferenceException, NoSuchElementException, WebDriverException)


class Chrome:
    """script: run scripts; cookies: keep cookies. What the console shows makes check() fail."""

    def __init__(self, script=True, cookies=True):
        self.profile = harness.RUN / f"chrome-{next(harness.NUMBERS)}"
        options = Options()
        options.binary_location = shutil.which("chromium") or "/usr/bin/chromium"
        for flag in (*FLAGS, f"--user-data-dir={self.profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        options.add_experimental_option("prefs", {
            "credentials_enable_service": False,
            "profile.managed_default_content_settings": ({} if script else {"javascript": BLOCKED})
            | ({} if cookies else {"cookies": BLOCKED})})
        service = Service(shutil.which("chromedriver") or "/usr/bin/chromedriver")
        self.driver = webdriver.Chrome(service=service, options=options)
        self.driver.set_page_load_timeout(PATIENCE)
        self.first = self.driver.current_window_handle
        self.agent = self.devtools("Browser.getVersion")["userAgent"]
        self.seen, self.expected = set(), []

    def close(self):
        self.driver.quit()
        shutil.rmtree(self.profile, ignore_errors=True)

    def devtools(self, command, **parameters):
        return self.driver.execute_cdp_cmd(command, parameters)

    # --- between two tests -----------------------------------------------------

    def forget(self):
        """Become a browser that has seen nothing."""
        for tab in self.driver.window_handles:
            if tab != self.first:
                self.driver.switch_to.window(tab)
                self.driver.close()
        self.driver.switch_to.window(self.first)
        self.speak("en-US,en")
        self.driver.get("about:blank")
        self.devtools("Page.resetNavigationHistory")
        self.devtools("Network.clearBrowserCookies")
        self.devtools("Network.clearBrowserCache")
        self.driver.get_log("browser")
        self.seen, self.expected = set(), []

    def expect(self, pattern):
        """The console will show this, and the test means it to."""
        self.expected.append(re.compile(pattern))

    def check(self):
        """Nothing in the console: no violation of a policy, no error, no advice on fields. That a page came with a
        status of 4xx is no fault of it, and the icon is wanted by the browser, not by a page."""
        self._note()
        faults = []
        for entry in self.driver.get_log("browser"):
            text = entry["message"]
            refused = REFUSED.match(text)
            if refused and urllib.parse.urlsplit(refused[1]).path in self.seen | {"/favicon.ico"}:
                continue
            if not any(pattern.search(text) for pattern in self.expected):
                faults.append(f"{entry['level']}: {text}")
        assert not faults, "the console shows\n" + "\n".join(faults)

    # --- looking ---------------------------------------------------------------

    def _note(self):
        self.seen.add(urllib.parse.urlsplit(self.driver.current_url).path)

    @property
    def address(self):
        return self.driver.current_url

    @property
    def path(self):
        """Of the address, with its query."""
        return urllib.parse.urlsplit(self.address)._replace(scheme="", netloc="").geturl()

    @property
    def status(self):
        """The HTTP status with which the page came."""
        return self.driver.execute_script("return performance.getEntriesByType('navigation')[0].responseStatus")

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def has(self, selector):
        return bool(self.driver.find_elements(By.CSS_SELECTOR, selector))

    @property
    def text(self):
        return self.find("body").text

    @property
    def heading(self):
        return self.find("h1").text

    @property
    def alert(self):
        """What the page says went wrong; None: nothing."""
        found = self.driver.find_elements(By.CSS_SELECTOR, "[role=alert]")
        return found[0].text if found else None

    @property
    def focus(self):
        """The name of the field that has the cursor."""
        return self.driver.switch_to.active_element.get_attribute("name")

    def value(self, name):
        return self.find(f"[name='{name}']").get_property("value")

    @property
    def cookies(self):
        """What the browser keeps for the page's address: {name: {value, httpOnly, secure, sameSite, path, …}}"""
        found = {cookie["name"]: cookie for cookie in self.driver.get_cookies()}
        for cookie in found.values():
            if len(cookie["value"]) > 20:
                tokens.sensitive(cookie["value"])
        return found

    # --- doing -----------------------------------------------------------------

    def open(self, address):
        self.driver.get(address)
        self._note()
        return self

    def _leave(self, act):
        """Do what leads to another page, and wait for that."""
        page = self.find("html")
        act()

        def has_left():
            try:
                page.is_enabled()
            except GONE:
                return True
            return False

        harness.wait_for("another page", has_left, PATIENCE)
        harness.wait_for("the page", self._is_there, PATIENCE)
        self._note()
        return self

    def _is_there(self):
        with contextlib.suppress(WebDriverException):
            return self.driver.execute_script("return document.readyState") == "complete"

    def fill(self, **fields):
        for name, text in fields.items():
            field = self.find(f"[name='{name}']")
            field.clear()
            field.send_keys(text)
        return self

    def submit(self, name):
        """Press the button of the form that has a field of this name."""
        form = self.find(f"[name='{name}']").find_element(By.XPATH, "ancestor::form")
        return self._leave(form.find_element(By.CSS_SELECTOR, "button, [type=submit]").click)

    def press(self, selector):
        """Press a button, or follow a link."""
        return self._leave(self.find(selector).click)

    def follow(self, text):
        return self._leave(self.driver.find_element(By.PARTIAL_LINK_TEXT, text).click)

    def keys(self, *keys, leaves=False):
        """Type, wherever the cursor is."""
        chain = ActionChains(self.driver).send_keys(*keys)
        if leaves:
            return self._leave(chain.perform)
        chain.perform()
        return self

    def back(self):
        self.driver.back()
        harness.wait_for("the page", self._is_there, PATIENCE)
        self._note()
        return self

    def log_in(self, user, password):
        """Fill in the page of the login, which is there."""
        return self.fill(username=user, password=password).submit("password")

    def tab(self):
        """Open another tab and look at it; what selects it again."""
        self.driver.switch_to.new_window("tab")
        return self.driver.current_window_handle

    def select(self, tab):
        self.driver.switch_to.window(tab)
        return self

    def speak(self, languages):
        """What Accept-Language says from now on, in this tab."""
        self.devtools("Network.setUserAgentOverride", userAgent=self.agent, acceptLanguage=languages)

    # --- pictures --------------------------------------------------------------

    def picture(self, name):
        """Keep pictures of the page for desktop and phone, light and dark; none may need to be moved sideways."""
        PICTURES.mkdir(exist_ok=True)
        for (view, (width, height, phone)), scheme in itertools.product(VIEWS.items(), ("light", "dark")):
            self.devtools("Emulation.setEmulatedMedia",
                          features=[{"name": "prefers-color-scheme", "value": scheme}])
            self._resize(width, height, phone)
            wide, high = self.driver.execute_script("const e = document.documentElement;"
                                                    "return [e.scrollWidth, e.scrollHeight]")
            assert wide <= width, f"{name}: {wide} pixels wide on a screen of {width}"
            self._resize(width, max(high, height), phone)
            shot = self.devtools("Page.captureScreenshot", optimizeForSpeed=True)["data"]
            (PICTURES / f"{name}-{view}-{scheme}.png").write_bytes(base64.b64decode(shot))
        self.devtools("Emulation.setEmulatedMedia", features=[])
        self.devtools("Emulation.clearDeviceMetricsOverride")

    def _resize(self, width, height, phone):
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, mobile=phone,
                      deviceScaleFactor=2 if phone else 1)
