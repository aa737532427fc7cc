//! Pages of the list: what is asked and what is answered.

use riftline_queries::cancel::Cancel;
use riftline_queries::error::AskError;
use riftline_queries::table::Table;

use crate::tui::jobs::Backend;

/// Which page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageRequest {
    pub first: u64,
}

/// A page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    pub table: Table,
    pub first: u64,
}

impl PageRequest {
    /// Asks for the page.
    pub fn fetch(&self, backend: &dyn Backend, cancel: &Cancel) -> Result<Page, AskError> {
        let _ = (backend, cancel);
        Ok(Page { first: self.first, ..Page::default() })
    }
}
