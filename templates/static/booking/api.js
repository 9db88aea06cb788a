"use strict";

/* One door to the REST API: an answer, or a Problem with a sentence that can be shown as it stands. */
(function (app) {
  const PATIENCE = 30000; // longer than the server's own deadlines: an answer on its way must not be thrown away

  class Problem extends Error {
    /** `status` is 0 when no answer came; `retryAfter` is in seconds, null when not said. */
    constructor({ status, code = "", sentence, fields = {}, retryAfter = null }) {
      super(sentence);
      Object.assign(this, { status, code, fields, retryAfter });
    }

    /** Nothing was decided: the same request, with the same key, may be sent again. */
    get undecided() {
      return this.status === 0 || this.status === 429 || this.status >= 500 || this.retryAfter !== null;
    }
  }

  function headersFor({ body, token, idempotencyKey }) {
    const headers = { Accept: "application/json", "Accept-Language": document.documentElement.lang };
    if (body) headers["Content-Type"] = "application/json";
    if (token) headers.Authorization = `Bearer ${token}`;
    if (idempotencyKey) headers["Idempotency-Key"] = idempotencyKey;
    return headers;
  }

  function secondsOf(header) {
    if (!header) return null;
    const seconds = /^\d+$/.test(header) ? Number(header) : Math.ceil((Date.parse(header) - Date.now()) / 1000);
    return Number.isFinite(seconds) ? Math.max(seconds, 1) : null;
  }

  function problemOf(response, body) {
    return new Problem({
      status: response.status,
      code: body?.code,
      sentence: body?.error || app.text("problem.server"),
      fields: body?.fields ?? {},
      retryAfter: secondsOf(response.headers.get("Retry-After")),
    });
  }

  async function send(method, path, { body, signal, ...rest }) {
    try {
      const response = await fetch(path, {
        method,
        headers: headersFor({ body, ...rest }),
        body: body && JSON.stringify(body),
        credentials: "omit", // a member of staff who tries the page must not act as staff
        cache: "no-store",
        signal,
      });
      return [response, await response.json().catch(() => null)];
    } catch (cause) {
      throw new Problem({ status: 0, sentence: app.text("problem.network"), cause });
    }
  }

  /**
   * Call the API.
   * @returns {Promise<{status: number, body: object, clockAhead: number}>} `clockAhead`: server clock minus ours, in ms
   * @throws {Problem}
   */
  async function call(method, path, options = {}) {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), PATIENCE);
    try {
      const [response, body] = await send(method, path, { ...options, signal: abort.signal });
      if (!response.ok || body === null) throw problemOf(response, body);
      const serverTime = Date.parse(response.headers.get("Date") ?? "");
      return { status: response.status, body, clockAhead: Number.isNaN(serverTime) ? 0 : serverTime - Date.now() };
    } finally {
      clearTimeout(timer);
    }
  }

  app.Problem = Problem;
  app.api = {
    get: (path, options) => call("GET", path, options),
    post: (path, body, options) => call("POST", path, { ...options, body }),
  };
})((window.MindfulQALB = window.MindfulQALB || {}));
