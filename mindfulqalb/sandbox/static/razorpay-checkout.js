// Stands in for Razorpay's checkout.js: the same constructor, options and answers. The dialog is a page of the sandbox in
// a frame, so that it needs no inline script or style in the page that opens it.
(function () {
  "use strict";

  const sandboxOrigin = new URL(document.currentScript.src).origin;
  const frameStyle = {
    position: "fixed", inset: "0", width: "100%", height: "100%", border: "0", margin: "0", "z-index": "2147483647",
    background: "transparent", "color-scheme": "light dark",
  };

  class Razorpay {
    constructor(options) {
      if (!options || !options.key) {
        throw new Error("No key passed");
      }
      this.options = options;
      this.modal = options.modal || {};
      this.listeners = {};
      this.frame = null;
      this.receive = this.receive.bind(this);
    }

    on(name, listener) {
      (this.listeners[name] = this.listeners[name] || []).push(listener);
      return this;
    }

    off(name) {
      delete this.listeners[name];
      return this;
    }

    open() {
      if (this.frame) {
        return this;
      }
      this.frame = document.createElement("iframe");
      this.frame.src = this.address();
      this.frame.title = "Razorpay checkout (sandbox)";
      this.frame.className = "razorpay-checkout-frame";
      for (const [name, value] of Object.entries(frameStyle)) {
        this.frame.style.setProperty(name, value);
      }
      window.addEventListener("message", this.receive);
      document.body.append(this.frame);
      this.frame.addEventListener("load", () => this.frame && this.frame.focus());
      if (this.options.timeout) {
        this.timer = setTimeout(() => this.dismiss("timeout"), this.options.timeout * 1000);
      }
      return this;
    }

    close() {
      clearTimeout(this.timer);
      window.removeEventListener("message", this.receive);
      if (this.frame) {
        this.frame.remove();
        this.frame = null;
      }
    }

    dismiss(reason) {
      this.close();
      if (typeof this.modal.ondismiss === "function") {
        this.modal.ondismiss(reason);
      }
    }

    address() {
      const given = this.options;
      const prefill = given.prefill || {};
      const query = new URLSearchParams({
        order_id: given.order_id || "", key: given.key, amount: given.amount || "", name: given.name || "",
        description: given.description || "", email: prefill.email || "", contact: prefill.contact || "",
        origin: window.location.origin, escape: this.modal.escape === false ? "no" : "yes",
      });
      return `${sandboxOrigin}/razorpay/checkout?${query}`;
    }

    receive(event) {
      if (!this.frame || event.origin !== sandboxOrigin || event.source !== this.frame.contentWindow) {
        return;
      }
      const { type, payload } = event.data || {};
      if (type === "success") {
        this.succeed(payload);
      } else if (type === "failed") {
        this.fail(payload);
      } else if (type === "dismiss") {
        this.dismiss(payload);
      }
    }

    succeed(triple) {
      this.close();
      if (this.options.callback_url && this.options.redirect) {
        this.send(triple);
      } else if (typeof this.options.handler === "function") {
        this.options.handler(triple);
      } else if (this.options.callback_url) {
        this.send(triple);
      }
    }

    // A failed attempt is not the end: the dialog stays open for another.
    fail(error) {
      (this.listeners["payment.failed"] || []).forEach((listener) => listener({ error }));
      if (this.options.callback_url && this.options.redirect) {
        this.close();
        this.send({
          "error[code]": error.code, "error[description]": error.description, "error[reason]": error.reason,
          "error[metadata]": JSON.stringify(error.metadata),
        });
      }
    }

    send(fields) {
      const form = document.createElement("form");
      form.method = "POST";
      form.action = this.options.callback_url;
      for (const [name, value] of Object.entries(fields)) {
        const field = document.createElement("input");
        field.type = "hidden";
        field.name = name;
        field.value = value;
        form.append(field);
      }
      document.body.append(form);
      form.submit();
    }
  }

  window.Razorpay = Razorpay;
})();
