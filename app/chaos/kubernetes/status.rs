//! What Chaos Mesh says of its objects: `ChaosStatus` of `api/v1alpha1/common_types.go`.

use serde_json::Value;

/// Whether a condition of this type holds.
pub fn holds(object: &Value, condition: &str) -> bool {
    let conditions = object["status"]["conditions"].as_array();
    conditions.into_iter().flatten().any(|one| one["type"] == condition && one["status"] == "True")
}

/// Whether Chaos Mesh takes the fault back already: its duration is over.
pub fn has_ended(object: &Value) -> bool {
    object["status"]["experiment"]["desiredPhase"] == "Stop"
}

/// Returns how often pods were hit, over all pods that were chosen.
pub fn injected_count(object: &Value) -> u64 {
    let count = |record: &Value| {
        let is_injected = record["phase"] == "Injected";
        // Versions before 2.1 count nothing.
        record["injectedCount"].as_u64().unwrap_or(u64::from(is_injected))
    };
    records(object).map(count).fold(0, u64::saturating_add)
}

/// Says in words how far the injection came: chosen pods, their phases, and what the last event of each says.
pub fn progress(object: &Value) -> String {
    if !holds(object, "Selected") {
        return "Chaos Mesh has not chosen any pod".to_owned();
    }
    let said: Vec<String> = records(object).take(5).map(of_pod).collect();
    if said.is_empty() { "Chaos Mesh has chosen no pod".to_owned() } else { said.join("; ") }
}

fn records(object: &Value) -> impl Iterator<Item = &Value> {
    object["status"]["experiment"]["containerRecords"].as_array().into_iter().flatten()
}

fn of_pod(record: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("?").replace(char::is_control, " ");
    let last = record["events"].as_array().and_then(|events| events.last());
    let message = last.map(|event| text(&event["message"])).filter(|message| message != "?");
    let reason = message.map(|message| format!(" ({message})")).unwrap_or_default();
    format!("{}: {}{reason}", text(&record["id"]), text(&record["phase"]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_status_is_counted_and_told() {
        let object = json!({"status": {
            "conditions": [{"type": "Selected", "status": "True"}, {"type": "AllInjected", "status": "False"}],
            "experiment": {"containerRecords": [
                {"id": "shop/a", "phase": "Injected", "injectedCount": 2},
                {"id": "shop/b", "phase": "Not Injected", "injectedCount": 0,
                    "events": [{"operation": "Apply", "message": "no netem"}]}]}}});
        assert!(holds(&object, "Selected") && !holds(&object, "AllInjected") && !holds(&object, "Paused"));
        assert_eq!(injected_count(&object), 2);
        assert_eq!(progress(&object), "shop/a: Injected; shop/b: Not Injected (no netem)");
        assert_eq!(injected_count(&json!({"status": 3})), 0);
        assert_eq!(progress(&json!(null)), "Chaos Mesh has not chosen any pod");
    }
}
