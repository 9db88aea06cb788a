"use strict";

/* A published document on the page: its text, its version, and a box for each point. */
(function (app) {
  const { page } = app;
  const HEADING = /^#+\s+/;

  function block(paragraph) {
    const isHeading = HEADING.test(paragraph);
    const element = document.createElement(isHeading ? "h4" : "p");
    element.textContent = paragraph.replace(HEADING, "");
    return element;
  }

  /** A heading may be followed by its text without a blank line in between. */
  function blocks(text) {
    return text.trim().split(/\n\s*\n/).flatMap((paragraph) => {
      const [first, ...rest] = paragraph.trim().split("\n");
      const parts = HEADING.test(first) ? [first, rest.join("\n")] : [paragraph.trim()];
      return parts.filter(Boolean).map(block);
    });
  }

  function point({ id, label }) {
    const item = page.byId("acknowledgment-template").content.cloneNode(true);
    item.querySelector("input").value = id;
    item.querySelector("span").textContent = label;
    return item;
  }

  /** The text of `kind` as it stands now, in the page's language where there is a translation. */
  async function fetch(kind) {
    const query = new URLSearchParams({ kind, locale: document.documentElement.lang });
    return (await app.api.get(`/api/consent/document?${query}`)).body;
  }

  /** Draw a document into the elements `${name}-text` and `${name}-version`; its points into `list`, if it has one. */
  function draw(name, text, list) {
    const title = Object.assign(document.createElement("h3"), { id: `${name}-title`, textContent: text.title });
    const container = page.byId(`${name}-text`);
    container.lang = text.locale;
    container.replaceChildren(title, ...blocks(text.text));
    container.scrollTop = 0;
    page.byId(`${name}-version`).textContent = app.text("consent.version", { version: text.version });
    if (!list) return;
    page.byId(list).lang = text.locale;
    page.byId(list).replaceChildren(...text.acknowledgments.map(point));
  }

  const boxes = (list) => [...page.byId(list).querySelectorAll("input")];
  const ticked = (list) => boxes(list).filter((box) => box.checked).map((box) => box.value);

  /** Mark the points of `list` that are not ticked; true if there is one. */
  function markMissing(list, field) {
    const missing = boxes(list).filter((box) => !box.checked);
    if (!missing.length) return false;
    page.markField(page.byId(field), [app.text("consent.missing")]);
    boxes(list).filter((box) => box.checked).forEach((box) => box.removeAttribute("aria-invalid"));
    return true;
  }

  app.documents = { fetch, draw, ticked, markMissing };
})((window.MindfulQALB = window.MindfulQALB || {}));
