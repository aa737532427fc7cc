//! The path as the network sees it: routes leave out what routers and proxies before them took off.

use std::collections::BTreeSet;

use super::ground::{Call, Ground};
use crate::replay::fault::When;
use crate::replay::path_key::form;
use crate::stitch::calls::operation::path;
use crate::trace::window::NONE;

/// Calls that are looked at.
const MAX_CALLS: usize = 500;

/// Changes the path of `when` where it is not that of the requests that `hits` sent; says so where no path is left to choose by.
pub(super) fn correct(ground: &Ground<'_>, when: &mut When, hits: &BTreeSet<u32>) -> Option<String> {
    let template = when.path.clone().filter(|_| when.method.is_some())?;
    let calls = hits.iter().filter_map(|&hit| ground.call(hit)).take(MAX_CALLS);
    let sent: BTreeSet<&str> = calls.filter_map(|call| sent(ground, call)).collect();
    let forms: BTreeSet<String> = sent.iter().map(|path| form(path)).collect();
    if let Some(only) = forms.first().filter(|_| forms.len() == 1) {
        when.path = Some(only.clone());
        return None;
    }
    if sent.iter().all(|path| fits(&template, path)) {
        return None;
    }
    when.path = None;
    Some(format!("its requests have no path of one form ({template}): all of the method are hit"))
}

/// The caller wrote it on the network; the callee may have seen less of it.
fn sent<'w>(ground: &Ground<'w>, call: &Call) -> Option<&'w str> {
    let known = [call.client, call.server].into_iter().filter(|&end| end != NONE);
    known.filter_map(|end| path(ground.window, end)).find(|path| path.starts_with('/'))
}

/// Tells whether a path has a form: `{…}` is any segment, a last `*` any rest.
fn fits(template: &str, path: &str) -> bool {
    let mut segments = path.trim_end_matches('/').split('/');
    for part in template.trim_end_matches('/').split('/') {
        if part == "*" {
            return true;
        }
        let is_any = part.starts_with('{');
        if !segments.next().is_some_and(|segment| segment == part || (is_any && !segment.is_empty())) {
            return false;
        }
    }
    segments.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn forms_fit_paths() {
        assert!(fits("/stock/{id}", "/stock/17") && fits("/stock/{id}", "/stock/a-b/") && fits("/a/*", "/a/b/c"));
        assert!(!fits("/{id}", "/stock/17") && !fits("/stock/{id}", "/stock") && !fits("/stock/{id}", "/stock/"));
        assert!(fits("/", "/"));
    }
}
