// Messages to the programs on the user's desktop, through a SAMP hub (TOPCAT, Aladin and others
// bring one along). The protocol itself is in the samp.js that comes with DaCHS.

import { element } from "./page.mjs";

/** A button that sends a message with its parameters to all programs, and says what came of it. */
export function sampButton(text, title, mtype, parameters) {
  const note = element("span", { role: "status" });
  const send = async () => {
    note.textContent = "Sending …";
    try {
      await broadcast(mtype, parameters);
      note.textContent = "Sent.";
    } catch (error) {
      note.textContent = error.message;
    }
  };
  return [element("button", { type: "button", title, click: send }, text), note];
}

async function broadcast(mtype, parameters) {
  const samp = await library();
  const connection = await new Promise((resolve, reject) => {
    samp.register("JMMC data centre", resolve, () => reject(new Error(
      "There is no SAMP hub: start TOPCAT, Aladin or another program that brings one along.")));
  });
  connection.declareMetadata([{ "samp.name": "JMMC data centre" }]);
  connection.notifyAll([new samp.Message(mtype, parameters)]);
  // A hub drops what a client that has gone was about to say.
  setTimeout(() => connection.unregister(), 5000);
}

/** Loads samp.js when it is first needed; its last line expects to be a module of Node.js. */
function library() {
  window.module ??= {};
  return new Promise((resolve, reject) => {
    document.head.append(element("script", {
      src: "/static/js/samp.js",
      load: () => resolve(window.module.exports.samp),
      error: () => reject(new Error("The data centre does not answer.")),
    }));
  });
}
