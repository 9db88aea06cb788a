"use strict";

/* What the person has chosen and typed. Kept in memory, and in sessionStorage only while a payment is under way. */
(function (app) {
  const STORAGE_KEY = "mindfulqalb.booking";
  const KEPT_FOR = 24 * 60 * 60 * 1000; // a browser that restores its tabs a week later must not find an old booking

  const draft = {
    sessionCode: null,
    currency: null,
    date: null,
    slot: null, // {time: "10:00 AM", start: "2026-12-01T10:00:00+05:30"}
    customer: { name: "", email: "", phone: "" },
    ageBand: null, // "adult" or "under_18"
    consent: null, // {about: what was consented to by whom, consentId}
    hold: null, // see hold.js
    verification: null, // what Razorpay handed over, until the server has checked it
    paymentId: null,
    wasTaken: false, // whether what was paid for could not be had, so that another time is chosen
    attempt: null, // {about, key}: see attemptKey
  };

  /** Storage may be full or forbidden; then a reload loses the draft, and the server's email still comes. */
  function keep() {
    try {
      sessionStorage.setItem(STORAGE_KEY, JSON.stringify({ savedAt: Date.now(), draft }));
    } catch {
      // Nothing to do: see above.
    }
  }

  function forget() {
    try {
      sessionStorage.removeItem(STORAGE_KEY);
    } catch {
      // A storage that cannot be opened holds nothing.
    }
  }

  /** Fill the draft from an interrupted payment in this tab; false if there was none. */
  function restore() {
    try {
      const stored = JSON.parse(sessionStorage.getItem(STORAGE_KEY));
      if (!stored || Date.now() - stored.savedAt > KEPT_FOR) return false;
      Object.assign(draft, stored.draft);
      return Boolean(draft.hold || draft.paymentId);
    } catch {
      return false;
    }
  }

  // crypto.randomUUID exists on https and localhost only; a practice may try the page in its own network first.
  function uuid() {
    if (crypto.randomUUID) return crypto.randomUUID();
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  }

  /** One key for one intention: sent again, after a lost answer for instance, it books nothing twice. */
  function attemptKey(purpose, body) {
    const about = `${purpose} ${JSON.stringify(body)}`;
    if (draft.attempt?.about !== about) draft.attempt = { about, key: uuid() };
    return draft.attempt.key;
  }

  /** After a definite no, asking again is a new intention: the old key would only repeat the old answer. */
  function endAttempt() {
    draft.attempt = null;
  }

  app.draft = draft;
  app.drafts = { keep, forget, restore, attemptKey, endAttempt };
})((window.MindfulQALB = window.MindfulQALB || {}));
