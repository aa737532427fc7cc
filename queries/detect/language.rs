//! In which language a span's process is written, so that a fix is told in it.

use crate::trace::window::Window;

/// How the names of instrumentation scopes begin, and the language as `telemetry.sdk.language` names it.
const SCOPES: [(&str, &str); 9] = [
    ("@opentelemetry/", "nodejs"),
    ("opentelemetry.instrumentation.", "python"),
    ("io.opentelemetry.", "java"),
    ("io.micrometer.", "java"),
    ("go.opentelemetry.io/", "go"),
    ("OpenTelemetry.Instrumentation.", "dotnet"),
    ("Microsoft.AspNetCore", "dotnet"),
    ("System.Net.Http", "dotnet"),
    ("opentelemetry-instrumentation-", "ruby"),
];

/// Returns what the resource says, else what the name of the scope tells; empty where nothing does.
pub fn of(window: &Window, span: u32) -> &str {
    let said = window.text(window.resource_of(span).language);
    if said.is_empty() { of_scope(scope(window, span)) } else { said }
}

/// Tells whether a library of instrumentation wrote a span: these inject whatever their process is set up to send.
pub fn is_instrumented(scope: &str) -> bool {
    !of_scope(scope).is_empty()
}

fn of_scope(scope: &str) -> &'static str {
    SCOPES.iter().find(|(prefix, _)| scope.starts_with(prefix)).map_or("", |&(_, language)| language)
}

fn scope(window: &Window, span: u32) -> &str {
    window.scopes.get(window.scope[span as usize] as usize).map_or("", |scope| window.text(scope.name))
}
