"use strict";

/* The part of the consent step for somebody under 18: their guardian's consent, and their own. */
(function (app) {
  const { page, draft, documents } = app;
  const FIELDS = ["name", "email", "relation"];
  let shown = null; // {guardian, assent}: the documents that stand on the page

  const isNeeded = () => draft.ageBand === "under_18";
  const input = (field) => page.byId(`guardian-${field}`);

  async function load() {
    page.byId("minor").hidden = !isNeeded();
    if (!isNeeded() || shown) return;
    const [guardian, assent] = await Promise.all(["guardian_consent", "minor_assent"].map(documents.fetch));
    shown = { guardian, assent };
    documents.draw("guardian", guardian, "guardian-list");
    documents.draw("assent", assent, "assent-list");
  }

  function faultsOf({ name, email, relation }) {
    const faults = {};
    if (!name) faults["guardian.name"] = [app.text("guardian.name.missing")];
    if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email)) faults["guardian.email"] = [app.text("email.wrong")];
    if (!relation) faults["guardian.relation"] = [app.text("guardian.relation.missing")];
    return faults;
  }

  const read = () => Object.fromEntries(FIELDS.map((field) => [field, input(field).value.trim()]));

  /** Mark what is missing; true if something is. */
  function markMissing() {
    if (!isNeeded()) return false;
    const faults = faultsOf(read());
    page.showFieldErrors(faults);
    const missing = ["guardian", "assent"].map((who) => documents.markMissing(`${who}-list`, `${who}-acknowledgments`));
    return Object.keys(faults).length > 0 || missing.includes(true);
  }

  const answer = (who) => ({ version: shown[who].version, acknowledgments: documents.ticked(`${who}-list`) });

  /** What the API wants to hear about it; nothing for an adult. */
  function answers() {
    if (!isNeeded()) return {};
    return { guardian: { ...read(), ...answer("guardian") }, assent: answer("assent") };
  }

  function renew() {
    shown = null;
  }

  app.minor = { load, markMissing, answers, renew };
})((window.MindfulQALB = window.MindfulQALB || {}));
