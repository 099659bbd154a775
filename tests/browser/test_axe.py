# SPDX-License-Identifier: Apache-2.0
"""axe-core finds no fault in any page: in both languages, light and dark, with and without a site's own look."""

import page_server
import peers
import pytest

AXE = peers.INSTALLED / "browser" / "node_modules" / "axe-core" / "axe.min.js"
#: All rules but those that are experiments: WCAG 2.2 A and AA, and best practices.
RUN = """
const [rules, done] = arguments;
axe.run(document, {resultTypes: ["violations", "incomplete"], ...(rules && {runOnly: rules})})
	.then(done, error => done({error: String(error)}));
"""
CONTRAST = ["color-contrast"]


#: As it comes, and with colours that are hard to read by themselves.
LOOKS = {"en": "title = Example wiki\n", "de": "title = Beispiel\nlogo = LOGO\ncolor = #ffe600\n"}


@pytest.fixture(scope="module")
def pages():
    servers = {language: page_server.PageServer("[login]\n" + look) for language, look in LOOKS.items()}
    yield servers
    for server in servers.values():
        server.close()


@pytest.fixture(scope="module")
def axe():
    return AXE.read_text()


def show(browser, scheme):
    browser.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])


def faults(browser, rules=None):
    """What axe-core finds on the page that is open, or cannot decide about its colours."""
    found = browser.driver.execute_async_script(RUN, rules)
    assert "error" not in found, found["error"]
    unsure = [rule for rule in found["incomplete"] if rule["id"] in CONTRAST]
    return [f"{rule['id']}: {node['html'][:150]}: {node.get('failureSummary', '')}"
            for rule in found["violations"] + unsure for node in rule["nodes"]]


@pytest.mark.parametrize("language", LOOKS)
@pytest.mark.parametrize("name", page_server.names())
def test_page(browser, pages, axe, name, language):
    show(browser, "light")
    browser.open(pages[language].at(f"{language}/{name}"))
    browser.driver.execute_script(axe)
    found = faults(browser)
    show(browser, "dark")
    found += [f"dark: {fault}" for fault in faults(browser, CONTRAST)]
    assert not found, "\n".join(found)
    assert browser.find("html").get_attribute("lang") == language


def test_it_finds_faults(browser, pages, axe):
    """The test above can fail."""
    show(browser, "light")
    browser.open(pages["en"].at("login"))
    browser.driver.execute_script(axe)
    browser.driver.execute_script("document.querySelector('label').remove();"
                                  "document.querySelector('h1').style.color = '#eee'")
    assert {fault.split(":")[0] for fault in faults(browser)} >= {"label", "color-contrast"}
