//! A shop's own events: orders, invoices, customers, parcels; `event` names them in the body.

use serde_json::{Value, json};

use super::Payload;
use crate::chance::{drawn, one_of, uuid};

/// The event's name and what makes its object.
pub const EVENTS: [(&str, Payload); 14] = [
    ("order.created", order),
    ("order.paid", order),
    ("order.cancelled", order),
    ("order.fulfilled", order),
    ("invoice.paid", invoice),
    ("invoice.payment_failed", invoice),
    ("customer.created", customer),
    ("customer.subscription.updated", subscription),
    ("charge.refunded", refund),
    ("charge.dispute.created", refund),
    ("shipment.dispatched", shipment),
    ("shipment.delivered", shipment),
    ("product.stock_low", product),
    ("email.bounced", bounce),
];

const NAMES: [&str; 8] = [
    "Zoë Åkesson",
    "Jürgen Großmann",
    "María José Núñez",
    "陳小明",
    "Amina Okafor",
    "Łukasz Wójcik",
    "Olivia O’Brien",
    "Айгуль Садыкова",
];
const CITIES: [(&str, &str, &str); 6] = [
    ("Göteborg", "41101", "SE"),
    ("Zürich", "8004", "CH"),
    ("Kraków", "31-042", "PL"),
    ("Porto", "4050-253", "PT"),
    ("Leeds", "LS1 4DY", "GB"),
    ("Graz", "8010", "AT"),
];
const ARTICLES: [(&str, &str); 8] = [
    ("TEA-ASSAM-250", "Assam, loose leaf, 250 g"),
    ("MUG-STONE-04", "Stoneware mug, speckled"),
    ("KETTLE-GN-1L", "Gooseneck kettle, 1 l"),
    ("FILTER-100", "Paper filters, 100 pieces"),
    ("GRIND-HAND-2", "Hand grinder, steel burrs"),
    ("BEAN-ETH-500", "Yirgacheffe beans, 500 g"),
    ("SCALE-01", "Scale with timer"),
    ("GIFT-50", "Gift card, 50 €"),
];

/// Everything that the shop sends has this around it.
pub fn envelope(name: &str, number: u64, object: Value) -> Value {
    json!({
        "id": format!("evt_{}", uuid(number).replace('-', "")),
        "event": name,
        "api_version": "2026-03-01",
        "created": 1_780_000_000 + number % 2_000_000,
        "livemode": !drawn(number).is_multiple_of(5),
        "data": { "object": object },
        "request": { "id": format!("req_{:012x}", drawn(number) >> 16), "idempotency_key": null },
    })
}

fn cents(number: u64) -> u64 {
    199 + drawn(number) % 48_000
}

fn address(number: u64) -> Value {
    let (city, code, country) = one_of(&CITIES, number);
    json!({
        "name": one_of(&NAMES, number), "line1": format!("Storgatan {}", 1 + drawn(number) % 90), "line2": null,
        "postal_code": code, "city": city, "country": country,
    })
}

fn customer(number: u64) -> Value {
    json!({
        "id": format!("cus_{:010x}", drawn(number) >> 24), "object": "customer", "name": one_of(&NAMES, number),
        "email": format!("customer{}@example.org", number % 40_000), "phone": null, "balance": 0, "currency": "eur",
        "locale": one_of(&["sv-SE", "de-CH", "pl-PL", "en-GB"], number), "address": address(number),
        "shipping": address(number + 1), "tax": { "automatic": true, "ids": [] }, "marketing": drawn(number).is_multiple_of(2),
        "metadata": { "source": one_of(&["storefront", "pos", "import"], number), "note": "Prefers parcels to the neighbour." },
    })
}

fn lines(number: u64) -> Value {
    (0..2 + drawn(number) % 5)
        .map(|nth| {
            let (sku, title) = one_of(&ARTICLES, number * 7 + nth);
            let (quantity, unit) = (1 + drawn(number + nth) % 3, cents(number * 5 + nth) / 9);
            json!({
                "id": format!("li_{:08x}", drawn(number * 31 + nth) >> 32), "sku": sku, "title": title,
                "quantity": quantity, "unit_amount": unit, "amount": quantity * unit, "tax_rate": 0.25, "discount": null,
            })
        })
        .collect()
}

fn order(number: u64) -> Value {
    let total = cents(number);
    json!({
        "id": format!("ord_{:08}", number), "object": "order", "number": 100_000 + number,
        "customer": format!("cus_{:010x}", drawn(number) >> 24), "currency": "eur", "amount_total": total,
        // Larger than 2^53 - 1: what a JavaScript number cannot hold.
        "ledger_entry": 9_007_199_254_740_993_u64 + number,
        "amount_tax": total / 5, "exchange_rate": 1.000_000_000_000_01, "lines": lines(number),
        "shipping": { "method": "express", "cost": 490, "address": address(number) },
        "billing": address(number + 2), "gift": drawn(number).is_multiple_of(9),
        "note": one_of(&["Please ring twice 🔔", "", "Leave at the door, thanks – and merry Christmas!"], number),
        "payment": { "method": "card", "brand": one_of(&["visa", "mastercard"], number), "last4": "4242", "captured": true },
    })
}

fn invoice(number: u64) -> Value {
    let total = cents(number);
    json!({
        "id": format!("inv_{:08}", number), "object": "invoice", "number": format!("NW-2026-{:05}", number % 100_000),
        "customer": format!("cus_{:010x}", drawn(number) >> 24), "currency": "eur", "amount_due": total,
        "amount_paid": total, "amount_remaining": 0, "attempt_count": 1 + drawn(number) % 3, "lines": lines(number),
        "hosted_url": format!("https://pay.northwind.example/i/{}", uuid(number)), "due_date": null,
        "last_error": { "code": "card_declined", "decline_code": "insufficient_funds", "message": "The card has insufficient funds." },
        "period": { "start": 1_780_000_000, "end": 1_782_592_000 }, "address": address(number),
    })
}

fn subscription(number: u64) -> Value {
    json!({
        "id": format!("sub_{:08x}", drawn(number) >> 32), "object": "subscription", "status": "active",
        "customer": customer(number), "quantity": 1, "cancel_at_period_end": drawn(number).is_multiple_of(3),
        "plan": { "id": "beans-monthly-500", "amount": 1_890, "currency": "eur", "interval": "month", "interval_count": 1 },
        "previous_attributes": { "plan": { "id": "beans-monthly-250", "amount": 990 } }, "items": lines(number),
    })
}

fn refund(number: u64) -> Value {
    json!({
        "id": format!("ch_{:012x}", drawn(number) >> 16), "object": "charge", "amount": cents(number),
        "amount_refunded": cents(number) / 2, "currency": "eur", "order": format!("ord_{number:08}"), "refunded": true,
        "reason": one_of(&["requested_by_customer", "fraudulent", "duplicate", "product_not_received"], number),
        "receipt_email": format!("customer{}@example.org", number % 40_000), "billing": address(number),
        "outcome": { "network_status": "approved_by_network", "risk_level": "normal", "risk_score": drawn(number) % 60 },
        "evidence_due_by": 1_781_200_000, "lines": lines(number),
    })
}

fn shipment(number: u64) -> Value {
    let stops: Vec<Value> = (0..3 + drawn(number) % 3)
        .map(|nth| {
            let (city, _, country) = one_of(&CITIES, number + nth);
            json!({ "at": 1_780_000_000 + nth * 7_200, "city": city, "country": country,
                    "status": one_of(&["accepted", "in_transit", "at_depot", "out_for_delivery"], number + nth) })
        })
        .collect();
    json!({
        "id": format!("shp_{:08x}", drawn(number) >> 32), "object": "shipment", "carrier": one_of(&["PostNord", "DHL", "InPost"], number),
        "tracking": format!("NW{:012}SE", drawn(number) % 1_000_000_000_000), "order": format!("ord_{number:08}"),
        "parcels": [{ "weight_g": 300 + drawn(number) % 4_000, "length_mm": 310, "width_mm": 220, "height_mm": 120 }],
        "to": address(number), "events": stops, "lines": lines(number),
    })
}

fn product(number: u64) -> Value {
    let (sku, title) = one_of(&ARTICLES, number);
    json!({
        "id": format!("prd_{sku}"), "object": "product", "sku": sku, "title": title, "stock": drawn(number) % 6,
        "threshold": 6, "warehouse": one_of(&["GOT-1", "ZRH-2"], number), "reserved": drawn(number) % 3,
        "description": "Fired at 1,240 °C, each piece a little different. Dishwasher safe; keep away from the ♥ of the oven.",
        "prices": [{ "currency": "eur", "amount": 1_290 }, { "currency": "sek", "amount": 14_900 }, { "currency": "chf", "amount": 1_250 }],
        "suppliers": [address(number), address(number + 1), address(number + 2)], "restock": lines(number),
    })
}

fn bounce(number: u64) -> Value {
    json!({
        "id": format!("msg_{}", uuid(number)), "object": "message", "to": format!("customer{}@example.org", number % 40_000),
        "from": "orders@northwind.example", "subject": "Your order is on its way", "type": "hard", "smtp_code": 550,
        "diagnostic": "smtp; 550 5.1.1 The email account that you tried to reach does not exist.",
        "received_headers": ["from mta-7.northwind.example by mx.example.org", "from app-2 by mta-7.northwind.example"],
        "tags": ["transactional", "shipping"], "template": "shipment-dispatched-v9", "opens": 0, "clicks": 0,
    })
}
