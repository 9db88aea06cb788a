"use strict";

/* Step 4: the consent text as published, one box for each point, and the record of it on the server. */
(function (app) {
  const { page, draft, documents, minor } = app;
  const VERSIONS = ["consentVersion", "guardian.version", "assent.version"];
  let shown = null; // the consent text that stands on the page
  let notice = null; // the privacy notice beside it

  function setReady(ready) {
    page.byId("acknowledgments").hidden = !ready;
    page.byId("consent-version").hidden = !ready;
    page.stepOf("consent").querySelector("button[type=submit]").hidden = !ready;
  }

  /** A practice may have none yet; then nothing is said to have been shown. */
  async function loadNotice() {
    notice = await documents.fetch("privacy_notice").catch(() => null);
    page.byId("notice").hidden = !notice;
    if (notice) documents.draw("notice", notice);
  }

  async function load() {
    if (shown) return minor.load();
    setReady(false);
    page.byId("consent-text").textContent = app.text("consent.loading");
    const [text] = await Promise.all([documents.fetch("informed_consent"), loadNotice(), minor.load()]);
    shown = text;
    documents.draw("consent", text, "acknowledgment-list");
    return setReady(true);
  }

  async function enter() {
    try {
      await load();
    } catch (problem) {
      if (!shown) page.byId("consent-text").textContent = "";
      await app.flow.report(problem, enter);
    }
  }

  function markMissing() {
    const missing = documents.markMissing("acknowledgment-list", "acknowledgments");
    if (!minor.markMissing() && !missing) return false;
    page.stepOf("consent").querySelector("[aria-invalid]").focus();
    return true;
  }

  function answers() {
    return {
      acknowledgments: documents.ticked("acknowledgment-list"), consentVersion: shown.version,
      noticeVersion: notice?.version ?? "", ageBand: draft.ageBand || "", ...minor.answers(),
    };
  }

  /** Consent is given for one kind of session by one person: a new address makes it a new consent. */
  async function submit() {
    if (markMissing()) return false;
    const { sessionType, format } = app.session.chosen();
    const body = { sessionType, format, email: draft.customer.email, ...answers() };
    const about = JSON.stringify({ ...body, format: null });
    if (draft.consent?.about === about) return true;
    const consentId = await record(body);
    draft.consent = { about, consentId };
    return true;
  }

  async function record(body) {
    const button = page.stepOf("consent").querySelector("button[type=submit]");
    try {
      const { body: answer } = await app.api.post("/api/consent", {
        ...body, userAgent: navigator.userAgent, locale: shown.locale, controlLabel: button.textContent.trim(),
      });
      return answer.consentId;
    } catch (problem) {
      const changed = VERSIONS.filter((field) => problem.fields?.[field]);
      if (changed.length) await reload(problem, changed);
      throw problem;
    }
  }

  /** A newer text was published while this one was read: show it, with its boxes empty. */
  async function reload(problem, changed) {
    renew();
    await enter();
    changed.forEach((field) => { problem.fields[field] = [app.text("consent.changed")]; });
  }

  /** The server no longer takes this consent: ask for it again. */
  function renew() {
    draft.consent = null;
    shown = null;
    minor.renew();
  }

  app.steps.consent = { enter, submit };
  app.consent = { renew };
})((window.MindfulQALB = window.MindfulQALB || {}));
