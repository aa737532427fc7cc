//! Whatever is typed into the filter line: reading it never panics, what was read prints and reads back as the same, SQL made
//! of it keeps every literal in its quotes, and completion stays within the text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use riftline_queries::semconv::conventions;
use riftline_queries::traceql::{compile, compile_spans, complete, parse};
use riftline_queries::{catalog, header};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let conventions = conventions();
    match parse(text) {
        Ok(query) => {
            assert_eq!(parse(&query.to_string()), Ok(query.clone()));
            for sql in [compile(&query, &conventions), compile_spans(&query, &conventions)] {
                assert_eq!(sql.matches('\'').count() % 2, 0, "{sql}");
                assert!(!sql.contains('\0'));
            }
        }
        Err(error) => assert!(error.at <= text.len() && !error.message.is_empty()),
    }
    for cursor in [text.len() / 2, text.len()] {
        for completion in complete(text, cursor, &conventions, &|_| vec!["it's \"x\"".to_owned()]) {
            assert!(completion.from <= cursor && text.is_char_boundary(completion.from));
        }
    }
    let _ = header::parse(text);
    if let Ok(query) = catalog::NamedQuery::parse("fuzzed", text) {
        let _ = query.bind(&[]);
    }
});
