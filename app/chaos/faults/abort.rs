//! Requests that are cut: before, after the headers, or in the midst of the answer.

use hyper::http::request::Parts;
use riftline_queries::replay::fault::{Fault, Place};

use crate::chaos::faults::{Entry, FaultError, Kind, Level, Parameter, Values};
use crate::chaos::proxy::dice::Dice;
use crate::chaos::proxy::effect::{ConnectionPlan, Cut, Effect, Instead, Moment, RequestPlan};

pub(super) const ENTRY: Entry = Entry {
    name: "abort",
    about: "cuts the request: put at request the server is not asked (where = before), put at response it is; put at connection, cuts \
            the connection as it is made",
    level: Level::Request,
    places: &[Place::Request, Place::Response, Place::Connection],
    has_magnitude: false,
    parameters: &[
        Parameter {
            name: "where",
            kind: Kind::Choice(&["before", "headers", "body"]),
            default: Some("\"before\""),
            about: "before any of the answer, after its headers, or in the midst of its body",
            ..Parameter::OPTIONAL
        },
        Parameter {
            name: "how",
            kind: Kind::Choice(&["reset", "close", "goaway"]),
            default: Some("\"reset\""),
            about: "reset: RST of the connection, of HTTP/2 RST_STREAM; close: FIN; goaway: HTTP/2 GOAWAY and RST_STREAM",
            ..Parameter::OPTIONAL
        },
    ],
    compile,
};

#[expect(clippy::unnecessary_wraps, reason = "the list has one form for all")]
fn compile(fault: &Fault, values: &Values) -> Result<Box<dyn Effect>, FaultError> {
    let moment = match values.text("where") {
        "headers" => Moment::Headers,
        "body" => Moment::Body,
        _ => Moment::Before,
    };
    Ok(Box::new(Abort { place: fault.place, how: cut(values.text("how")), moment }))
}

/// Returns how something is cut, from the words of a parameter.
pub(super) fn cut(how: &str) -> Cut {
    match how {
        "close" => Cut::Close,
        "goaway" => Cut::GoAway,
        _ => Cut::Reset,
    }
}

struct Abort {
    place: Place,
    how: Cut,
    moment: Moment,
}

impl Effect for Abort {
    fn connect(&self, plan: &mut ConnectionPlan, _dice: &mut Dice) {
        if plan.is_new {
            plan.refuse = Some(self.how);
        }
    }

    fn request(&self, plan: &mut RequestPlan, _head: &mut Parts, _dice: &mut Dice) -> bool {
        plan.instead(self.place, Instead::Cut { how: self.how, moment: self.moment })
    }
}
