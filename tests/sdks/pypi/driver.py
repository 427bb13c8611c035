"""Asks official SDKs about signatures: the counterpart of ../npm/driver.mjs, with the same questions and answers.

Run with PYTHONPATH naming the folder that requirements.txt was installed into.
"""

import datetime
import json
import sys
import time
import traceback
from urllib.parse import parse_qsl, urlsplit


class Clock:
    """The clock of every SDK: it stands where the question at hand says. Set before the SDKs keep `time` of their own."""

    seconds = 0


class FixedDatetime(datetime.datetime):
    """What `datetime.datetime` is to the SDKs."""

    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(Clock.seconds, tz)


time.time = lambda: float(Clock.seconds)
datetime.datetime = FixedDatetime

import coinbase_commerce.webhook  # noqa: E402
import gocardless_pro.webhooks  # noqa: E402
import razorpay  # noqa: E402
import standardwebhooks  # noqa: E402
import stripe  # noqa: E402
import twilio.request_validator  # noqa: E402
import workos.webhooks._verification  # noqa: E402
from slack_sdk.signature import SignatureVerifier  # noqa: E402

MESSAGE_ID = "msg_2b1c"


def done(_result):
    """The answer of an SDK that raises when a signature does not hold."""
    return True


def stripe_sign(asked):
    signature = stripe.WebhookSignature._compute_signature(f"{asked['now']}.{asked['body']}", asked["secret"])
    return {"Stripe-Signature": f"t={asked['now']},v1={signature}"}


def slack_sign(asked):
    verifier = SignatureVerifier(asked["secret"])
    signature = verifier.generate_signature(timestamp=str(asked["now"]), body=asked["body"])
    return {"X-Slack-Request-Timestamp": str(asked["now"]), "X-Slack-Signature": signature}


def standard_sign(asked):
    # It takes the time without a zone and means UTC.
    at = datetime.datetime.fromtimestamp(asked["now"], datetime.timezone.utc)
    signature = standardwebhooks.Webhook(asked["secret"]).sign(MESSAGE_ID, at, asked["body"])
    return {"webhook-id": MESSAGE_ID, "webhook-timestamp": str(asked["now"]), "webhook-signature": signature}


def twilio_parameters(asked):
    """A form's fields; another body as it is."""
    if "bodySHA256" in urlsplit(asked["url"]).query:
        return asked["body"]
    return dict(parse_qsl(asked["body"], keep_blank_values=True))


def twilio_sign(asked):
    parameters = twilio_parameters(asked)
    validator = twilio.request_validator.RequestValidator(asked["secret"])
    fields = parameters if isinstance(parameters, dict) else {}
    return {"X-Twilio-Signature": validator.compute_signature(asked["url"], fields)}


VERIFY = {
    "coinbase-commerce": lambda asked: coinbase_commerce.webhook.WebhookSignature.verify_sig_header(
        asked["body"], asked["headers"]["x-cc-webhook-signature"], asked["secret"]
    ),
    "gocardless_pro": lambda asked: done(
        gocardless_pro.webhooks._verify_signature(
            asked["body"], asked["secret"], asked["headers"]["webhook-signature"]
        )
    ),
    "razorpay": lambda asked: razorpay.Client(auth=("unused", "unused")).utility.verify_webhook_signature(
        asked["body"], asked["headers"]["x-razorpay-signature"], asked["secret"]
    ),
    "slack_sdk": lambda asked: SignatureVerifier(asked["secret"]).is_valid_request(asked["body"], asked["headers"]),
    "standardwebhooks": lambda asked: done(
        standardwebhooks.Webhook(asked["secret"]).verify(asked["body"], asked["headers"])
    ),
    "stripe": lambda asked: stripe.WebhookSignature.verify_header(
        asked["body"], asked["headers"]["stripe-signature"], asked["secret"], stripe.Webhook.DEFAULT_TOLERANCE
    ),
    "twilio": lambda asked: twilio.request_validator.RequestValidator(asked["secret"]).validate(
        asked["url"], twilio_parameters(asked), asked["headers"]["x-twilio-signature"]
    ),
    "workos": lambda asked: done(
        workos.webhooks._verification.verify_header(
            event_body=asked["body"].encode(),
            event_signature=asked["headers"]["workos-signature"],
            secret=asked["secret"],
        )
    ),
}

SIGN = {
    "coinbase-commerce": lambda asked: {
        "X-CC-Webhook-Signature": coinbase_commerce.webhook.WebhookSignature._compute_signature(
            asked["body"], asked["secret"]
        )
    },
    "slack_sdk": slack_sign,
    "standardwebhooks": standard_sign,
    "stripe": stripe_sign,
    "twilio": twilio_sign,
}


def answer(asked):
    Clock.seconds = asked["now"]
    if asked["do"] == "sign":
        return {"headers": SIGN[asked["sdk"]](asked)}
    verify = VERIFY[asked["sdk"]]
    try:
        holds = verify(asked)
    except Exception as error:
        return {"holds": False, "why": f"{type(error).__name__}: {error}"}
    return {"holds": holds} if isinstance(holds, bool) else {"error": f"{asked['sdk']} said {holds!r}"}


for line in sys.stdin:
    try:
        said = answer(json.loads(line))
    except Exception:
        said = {"error": traceback.format_exc()}
    print(json.dumps(said), flush=True)
