"use strict";

/* What the page says: sentences stand in the page's #texts template, where Django translates them. */
(function (app) {
  const template = document.getElementById("texts");

  /** The sentence `key`, with each {name} replaced from `values`; undefined if the page has no such sentence. */
  function find(key, values = {}) {
    const element = template.content.querySelector(`[data-text="${CSS.escape(key)}"]`);
    return element?.textContent.replace(/\{(\w+)\}/g, (placeholder, name) => values[name] ?? placeholder);
  }

  /** As `find`, but a missing sentence shows its key: visible in a test, harmless to a client. */
  function text(key, values) {
    return find(key, values) ?? key;
  }

  app.text = text;
  app.findText = find;
})((window.MindfulQALB = window.MindfulQALB || {}));
