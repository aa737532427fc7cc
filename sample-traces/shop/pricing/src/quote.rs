//! The prices themselves: rules, one of them slow, and a product that no rule covers.

use std::fmt;
use std::thread;
use std::time::Duration;

use opentelemetry::trace::{Status, TraceContextExt as _, Tracer as _};
use opentelemetry::{KeyValue, global};

/// Carpets are made to measure: their price is worked out anew each time.
const MADE_TO_MEASURE: Duration = Duration::from_millis(180);

pub struct QuoteRequest {
    sku: String,
    quantity: i64,
}

impl QuoteRequest {
    /// Reads `/quote/{sku}?quantity=N`; the quantity is 1 where it is not given.
    pub fn parse(url: &str) -> Option<Self> {
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let sku = path.strip_prefix("/quote/").filter(|sku| !sku.is_empty())?;
        let quantity = query.strip_prefix("quantity=").unwrap_or("1").parse().ok()?;
        Some(Self { sku: sku.to_owned(), quantity })
    }
}

pub struct Answer {
    pub status: u16,
    pub body: String,
}

#[derive(Debug)]
struct NoRule {
    sku: String,
}

impl fmt::Display for NoRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "no price rule covers {}", self.sku)
    }
}

impl std::error::Error for NoRule {}

pub fn answer(asked: Option<&QuoteRequest>) -> Answer {
    let Some(asked) = asked else {
        return Answer { status: 404, body: "no such page".to_owned() };
    };
    match apply_rules(asked) {
        Ok(cents) => Answer { status: 200, body: format!(r#"{{"sku":"{}","cents":{cents}}}"#, asked.sku) },
        Err(error) => Answer { status: 500, body: error.to_string() },
    }
}

fn apply_rules(asked: &QuoteRequest) -> Result<i64, NoRule> {
    global::tracer("pricing").in_span("apply_rules", |context| {
        let span = context.span();
        span.set_attribute(KeyValue::new("shop.sku", asked.sku.clone()));
        span.set_attribute(KeyValue::new("shop.quantity", asked.quantity));
        let price = unit_price(&asked.sku);
        match &price {
            Ok(cents) => {
                tracing::info!(sku = %asked.sku, quantity = asked.quantity, unit_cents = *cents, "price quoted")
            }
            Err(error) => {
                span.record_error(error);
                span.set_status(Status::error(error.to_string()));
                tracing::error!(sku = %asked.sku, "no price rule covers this product");
            }
        }
        price.map(|cents| cents.saturating_mul(asked.quantity))
    })
}

fn unit_price(sku: &str) -> Result<i64, NoRule> {
    match sku {
        "lamp" => Ok(3_900),
        "chair" => Ok(8_900),
        "desk" => Ok(24_900),
        "piano" => Ok(349_000),
        "carpet" => Ok(made_to_measure()),
        _ => Err(NoRule { sku: sku.to_owned() }),
    }
}

fn made_to_measure() -> i64 {
    thread::sleep(MADE_TO_MEASURE);
    59_900
}
