"use strict";

/* Step 4: the consent text as published, one box for each point, and the record of it on the server. */
(function (app) {
  const { page, draft } = app;
  const HEADING = /^#+\s+/;
  let shown = null; // {sessionType, version, ...}: the document that stands on the page

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

  function acknowledgment({ id, label }) {
    const item = page.byId("acknowledgment-template").content.cloneNode(true);
    item.querySelector("input").value = id;
    item.querySelector("span").textContent = label;
    return item;
  }

  function draw(text) {
    const title = Object.assign(document.createElement("h3"), { id: "consent-title", textContent: text.title });
    page.byId("consent-text").replaceChildren(title, ...blocks(text.text));
    page.byId("consent-text").scrollTop = 0;
    page.byId("consent-version").textContent = app.text("consent.version", { version: text.version });
    page.byId("acknowledgment-list").replaceChildren(...text.acknowledgments.map(acknowledgment));
  }

  function setReady(ready) {
    page.byId("acknowledgments").hidden = !ready;
    page.byId("consent-version").hidden = !ready;
    page.stepOf("consent").querySelector("button[type=submit]").hidden = !ready;
  }

  async function load() {
    const { sessionType } = app.session.chosen();
    if (shown?.sessionType === sessionType) return;
    shown = null;
    setReady(false);
    page.byId("consent-text").textContent = app.text("consent.loading");
    const query = new URLSearchParams({ sessionType, locale: document.documentElement.lang });
    const { body } = await app.api.get(`/api/consent/document?${query}`);
    shown = { ...body, sessionType };
    draw(body);
    setReady(true);
  }

  async function enter() {
    try {
      await load();
    } catch (problem) {
      page.byId("consent-text").textContent = "";
      await app.flow.report(problem, enter);
    }
  }

  const boxes = () => [...page.byId("acknowledgment-list").querySelectorAll("input")];

  function markMissing() {
    const container = page.byId("acknowledgments");
    page.markField(container, [app.text("consent.missing")]);
    boxes().filter((box) => box.checked).forEach((box) => box.removeAttribute("aria-invalid"));
    boxes().find((box) => !box.checked).focus();
  }

  /** Consent is given for one kind of session by one person: a new address makes it a new consent. */
  async function submit() {
    if (boxes().some((box) => !box.checked)) {
      markMissing();
      return false;
    }
    const { sessionType, format } = app.session.chosen();
    const { email } = draft.customer;
    const about = `${sessionType}|${email}|${shown.version}`;
    if (draft.consent?.about === about) return true;
    const consentId = await record({ sessionType, format, email });
    draft.consent = { about, consentId };
    return true;
  }

  async function record(whose) {
    try {
      const { body } = await app.api.post("/api/consent", {
        ...whose, consentVersion: shown.version, acknowledgments: boxes().map((box) => box.value),
        userAgent: navigator.userAgent, locale: shown.locale,
      });
      return body.consentId;
    } catch (problem) {
      if (problem.fields?.consentVersion) await reload(problem);
      throw problem;
    }
  }

  /** A newer text was published while this one was read: show it, with its boxes empty. */
  async function reload(problem) {
    shown = null;
    await enter();
    problem.fields.consentVersion = [app.text("consent.changed")];
  }

  /** The server no longer takes this consent: ask for it again. */
  function renew() {
    draft.consent = null;
    shown = null;
  }

  app.steps.consent = { enter, submit };
  app.consent = { renew };
})((window.MindfulQALB = window.MindfulQALB || {}));
