// Asks official SDKs about signatures. One JSON object a line comes in, one goes out:
//   {"do": "verify" | "sign", "sdk", "secret", "method", "url", "headers": {name: value}, "body", "now"}
//   {"holds": true} or {"holds": false, "why"}; {"headers": {name: value}}, or {"headers": {}, "body"} where the signature
//   stands in the body; {"error"} when the question itself is wrong. "secret" is the public key where there is one.
// Names of headers are in lower case on the way in. Run beside the node_modules that package-lock.json describes.

import { setClock } from "./clock.mjs";

import { createInterface } from "node:readline";

import { hmacValidator as AdyenValidator } from "@adyen/api-library";
import { signRequest, verifyRequest } from "@contentful/node-apps-toolkit";
import { Signature as HubSpotSignature } from "@hubspot/api-client";
import { validateSignature as lineHolds } from "@line/bot-sdk";
import { LinearWebhookClient } from "@linear/sdk/webhooks";
import { Mux } from "@mux/mux-node";
import { signWebhookPayload, verifyWebhookSignature } from "@notionhq/client";
import * as octokit from "@octokit/webhooks-methods";
import { Paddle } from "@paddle/paddle-node-sdk";
import { EventWebhook } from "@sendgrid/eventwebhook";
import { WorkOS } from "@workos-inc/node";
import coinbase from "coinbase-commerce-node";
import { verifyKey as discordHolds } from "discord-interactions";
import { verifySignature as gocardlessVerify } from "gocardless-nodejs";
import ModernTreasury from "modern-treasury";
import OpenAI from "openai";
import Razorpay from "razorpay";
import { Resend } from "resend";
import { Retell } from "retell-sdk";
import { WebhooksHelper as Square } from "square";
import { Webhook as StandardWebhook } from "standardwebhooks";
import Stripe from "stripe";
import { Webhook as SvixWebhook } from "svix";
import Telnyx from "telnyx";
import twilio from "twilio";

/** What stands for a credential that a client asks for but that has no part in a signature. */
const UNUSED = "unused";

/** The fields of a form body. */
const form = (body) => Object.fromEntries(new URLSearchParams(body));

/** Path and query of a URL. */
const path = (url) => new URL(url).pathname + new URL(url).search;

/** An id, the time and a signature in three headers that begin alike. */
const three = (prefix, Webhook) => ({
  verify: ({ secret, headers, body }) => {
    new Webhook(secret).verify(body, headers);
    return true;
  },
  sign: ({ secret, body, now }) => ({
    [`${prefix}-id`]: "msg_2b1c",
    [`${prefix}-timestamp`]: String(now),
    [`${prefix}-signature`]: new Webhook(secret).sign("msg_2b1c", new Date(now * 1000), body),
  }),
});

const canonical = ({ method, url, headers, body }) => ({ method, path: path(url), headers, body });
const hubspot = ({ secret, method, url, body }, timestamp, signature) => [
  method,
  "v3",
  { clientSecret: secret, method, url, requestBody: body, timestamp, signature, signatureVersion: "v3" },
];
/** Adyen signs some fields of an item, and puts the signature into it. */
const adyen = new AdyenValidator();
const adyenItem = (notification) => notification.notificationItems[0].NotificationRequestItem;
const modernTreasury = new ModernTreasury({ organizationID: UNUSED, apiKey: UNUSED });
const workos = new WorkOS(UNUSED).webhooks;

const SDKS = {
  "@adyen/api-library": {
    verify: ({ secret, body }) => adyen.validateHMAC(adyenItem(JSON.parse(body)), secret),
    signedBody: ({ secret, body }) => {
      const notification = JSON.parse(body);
      const item = adyenItem(notification);
      item.additionalData.hmacSignature = adyen.calculateHmac(item, secret);
      return JSON.stringify(notification);
    },
  },
  "@contentful/node-apps-toolkit": {
    verify: (asked) => verifyRequest(asked.secret, canonical(asked), 30),
    sign: (asked) => signRequest(asked.secret, canonical(asked), asked.now * 1000),
  },
  "@hubspot/api-client": {
    verify: (asked) => {
      const { "x-hubspot-request-timestamp": at, "x-hubspot-signature-v3": signature } = asked.headers;
      return HubSpotSignature.isValid(hubspot(asked, Number(at), signature)[2]);
    },
    sign: (asked) => ({
      "X-HubSpot-Request-Timestamp": String(asked.now * 1000),
      "X-HubSpot-Signature-v3": HubSpotSignature.getSignature(...hubspot(asked, asked.now * 1000)),
    }),
  },
  "@line/bot-sdk": {
    verify: ({ secret, headers, body }) => lineHolds(body, secret, headers["x-line-signature"]),
  },
  "@linear/sdk": {
    verify: ({ secret, headers, body }) => {
      const { webhookTimestamp } = JSON.parse(body);
      return new LinearWebhookClient(secret).verify(Buffer.from(body), headers["linear-signature"], webhookTimestamp);
    },
  },
  "@mux/mux-node": {
    verify: async ({ secret, headers, body }) => {
      await new Mux({ tokenId: UNUSED, tokenSecret: UNUSED }).webhooks.verifySignature(body, headers, secret);
      return true;
    },
  },
  "@notionhq/client": {
    verify: ({ secret, headers, body }) =>
      verifyWebhookSignature({ body, signature: headers["x-notion-signature"], verificationToken: secret }),
    sign: async ({ secret, body }) => ({
      "X-Notion-Signature": await signWebhookPayload({ body, verificationToken: secret }),
    }),
  },
  "@octokit/webhooks-methods": {
    verify: ({ secret, headers, body }) => octokit.verify(secret, body, headers["x-hub-signature-256"]),
    sign: async ({ secret, body }) => ({ "X-Hub-Signature-256": await octokit.sign(secret, body) }),
  },
  "@paddle/paddle-node-sdk": {
    verify: ({ secret, headers, body }) =>
      new Paddle(UNUSED).webhooks.isSignatureValid(body, secret, headers["paddle-signature"]),
  },
  "@sendgrid/eventwebhook": {
    verify: ({ secret, headers, body }) => {
      const webhook = new EventWebhook();
      const signature = headers["x-twilio-email-event-webhook-signature"];
      const timestamp = headers["x-twilio-email-event-webhook-timestamp"];
      return webhook.verifySignature(webhook.convertPublicKeyToECDSA(secret), body, signature, timestamp);
    },
  },
  "@workos-inc/node": {
    // It takes the parsed body and writes it again.
    verify: ({ secret, headers, body }) =>
      workos.verifyHeader({ payload: JSON.parse(body), sigHeader: headers["workos-signature"], secret }),
    sign: async ({ secret, body, now }) => {
      const digest = await workos.computeSignature(now * 1000, JSON.parse(body), secret);
      return { "WorkOS-Signature": `t=${now * 1000}, v1=${digest}` };
    },
  },
  "coinbase-commerce-node": {
    verify: ({ secret, headers, body }) =>
      coinbase.Webhook.verifySigHeader(body, headers["x-cc-webhook-signature"], secret),
    sign: ({ secret, body }) => ({ "X-CC-Webhook-Signature": coinbase.Webhook.computeSignature(body, secret) }),
  },
  "discord-interactions": {
    verify: ({ secret, headers, body }) =>
      discordHolds(body, headers["x-signature-ed25519"], headers["x-signature-timestamp"], secret),
  },
  "gocardless-nodejs": {
    verify: ({ secret, headers, body }) => {
      gocardlessVerify(body, secret, headers["webhook-signature"]);
      return true;
    },
  },
  "modern-treasury": {
    verify: ({ secret, headers, body }) =>
      modernTreasury.webhooks.validateSignature(body, headers["x-signature"], { key: secret }),
    sign: ({ secret, body }) => ({ "X-Signature": modernTreasury.webhooks.getSignature(body, { key: secret }) }),
  },
  openai: {
    verify: async ({ secret, headers, body }) => {
      await new OpenAI({ apiKey: UNUSED }).webhooks.verifySignature(body, headers, secret);
      return true;
    },
  },
  razorpay: {
    verify: ({ secret, headers, body }) =>
      Razorpay.validateWebhookSignature(body, headers["x-razorpay-signature"], secret),
  },
  resend: {
    verify: ({ secret, headers, body }) => {
      const named = { id: headers["svix-id"], timestamp: headers["svix-timestamp"], signature: headers["svix-signature"] };
      new Resend(UNUSED).webhooks.verify({ payload: body, headers: named, webhookSecret: secret });
      return true;
    },
  },
  "retell-sdk": {
    verify: ({ secret, headers, body }) => Retell.verify(body, secret, headers["x-retell-signature"]),
    sign: async ({ secret, body }) => ({ "X-Retell-Signature": await Retell.sign(body, secret) }),
  },
  square: {
    verify: ({ secret, url, headers, body }) =>
      Square.verifySignature({
        requestBody: body,
        signatureHeader: headers["x-square-hmacsha256-signature"],
        signatureKey: secret,
        notificationUrl: url,
      }),
  },
  standardwebhooks: three("webhook", StandardWebhook),
  stripe: {
    verify: ({ secret, headers, body }) => {
      Stripe.webhooks.constructEvent(body, headers["stripe-signature"], secret);
      return true;
    },
    sign: ({ secret, body, now }) => ({
      "Stripe-Signature": Stripe.webhooks.generateTestHeaderString({ payload: body, secret, timestamp: now }),
    }),
  },
  svix: three("svix", SvixWebhook),
  telnyx: {
    verify: async ({ secret, headers, body }) => {
      await new Telnyx({ apiKey: UNUSED, publicKey: secret }).webhooks.unwrap(body, { headers });
      return true;
    },
  },
  twilio: {
    verify: ({ secret, url, headers, body }) => {
      const signature = headers["x-twilio-signature"];
      return new URL(url).searchParams.has("bodySHA256")
        ? twilio.validateRequestWithBody(secret, signature, url, body)
        : twilio.validateRequest(secret, signature, url, form(body));
    },
    sign: ({ secret, url, body }) => {
      const fields = new URL(url).searchParams.has("bodySHA256") ? {} : form(body);
      return { "X-Twilio-Signature": twilio.getExpectedTwilioSignature(secret, url, fields) };
    },
  },
};

async function answer(asked) {
  const sdk = SDKS[asked.sdk];
  const isKnown = sdk?.[asked.do] !== undefined || (asked.do === "sign" && sdk?.signedBody !== undefined);
  if (!isKnown) return { error: `${asked.sdk} cannot ${asked.do}` };
  setClock(asked.now);
  if (asked.do === "sign" && sdk.signedBody) return { headers: {}, body: sdk.signedBody(asked) };
  if (asked.do === "sign") return { headers: await sdk.sign(asked) };
  try {
    const holds = await sdk.verify(asked);
    return typeof holds === "boolean" ? { holds } : { error: `${asked.sdk} said ${JSON.stringify(holds)}` };
  } catch (error) {
    return { holds: false, why: `${error?.name}: ${error?.message}` };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  let said;
  try {
    said = await answer(JSON.parse(line));
  } catch (error) {
    said = { error: String(error?.stack ?? error) };
  }
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
