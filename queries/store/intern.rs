//! Resources, scopes and alias sets are stored once; rows refer to them by id.

use std::collections::HashMap;

use duckdb::arrow::error::ArrowError;
use duckdb::{Connection, ToSql};
use riftline_ingest::batch::{ConventionColumn, Resource, Scope};
use riftline_ingest::column::TextColumn;
use riftline_ingest::convention::{Convention, Conventions};
use serde_json::{Map, Value};
use xxhash_rust::xxh3::Xxh3;

use super::columns::Columns;
use super::schema::PhysicalColumns;
use super::views::quote;
use super::writer::Writing;

/// What the store has already, by a 128-bit hash of its content: a million services take 50 MB, not their texts.
#[derive(Debug, Default)]
pub(super) struct Interned {
    resources: HashMap<u128, u32>,
    scopes: HashMap<u128, u32>,
    alias_sets: HashMap<u128, u32>,
    next_resource: u32,
    next_scope: u32,
    next_alias_set: u32,
}

impl Interned {
    /// Reads what the store has.
    pub(super) fn load(
        connection: &Connection,
        conventions: &Conventions,
        physical: &PhysicalColumns,
    ) -> duckdb::Result<Self> {
        let mut interned = Self { next_resource: 1, next_scope: 1, next_alias_set: 1, ..Self::default() };
        interned.load_resources(connection)?;
        interned.load_scopes(connection)?;
        interned.load_alias_sets(connection, conventions, physical)?;
        Ok(interned)
    }

    fn load_resources(&mut self, connection: &Connection) -> duckdb::Result<()> {
        let sql = "SELECT id, service, attributes, schema_url, dropped_attributes FROM raw_resources";
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let id: u32 = row.get(0)?;
            let resource = Resource {
                service: row.get(1)?,
                attributes: row.get(2)?,
                schema_url: row.get(3)?,
                dropped_attributes: row.get(4)?,
            };
            self.resources.insert(resource_hash(&resource), id);
            self.next_resource = self.next_resource.max(id.saturating_add(1));
        }
        Ok(())
    }

    fn load_scopes(&mut self, connection: &Connection) -> duckdb::Result<()> {
        let sql = "SELECT id, name, version, attributes, schema_url, dropped_attributes FROM raw_scopes";
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let id: u32 = row.get(0)?;
            let scope = Scope {
                name: row.get(1)?,
                version: row.get(2)?,
                attributes: row.get(3)?,
                schema_url: row.get(4)?,
                dropped_attributes: row.get(5)?,
            };
            self.scopes.insert(scope_hash(&scope), id);
            self.next_scope = self.next_scope.max(id.saturating_add(1));
        }
        Ok(())
    }

    fn load_alias_sets(
        &mut self,
        connection: &Connection,
        conventions: &Conventions,
        physical: &PhysicalColumns,
    ) -> duckdb::Result<()> {
        let mut columns: Vec<&str> = conventions.span_columns().map(|one| one.column.as_str()).collect();
        columns.retain(|column| physical.has("raw_alias_sets", column));
        columns.sort_unstable();
        let names: Vec<String> = std::iter::once("id".to_owned()).chain(columns.iter().map(|one| quote(one))).collect();
        let mut statement = connection.prepare(&format!("SELECT {} FROM raw_alias_sets", names.join(", ")))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let id: u32 = row.get(0)?;
            let mut keys = Vec::new();
            for (index, column) in columns.iter().enumerate() {
                if let Some(key) = row.get::<_, Option<String>>(index + 1)? {
                    keys.push(((*column).to_owned(), key));
                }
            }
            self.alias_sets.insert(alias_hash(&keys), id);
            self.next_alias_set = self.next_alias_set.max(id.saturating_add(1));
        }
        Ok(())
    }

    /// Returns the store's id of each resource, writing those that are new.
    pub(super) fn resources(
        &mut self,
        writing: &mut Writing<'_>,
        conventions: &Conventions,
        resources: &[Resource],
    ) -> duckdb::Result<Vec<u32>> {
        let mut new = NewResources::new(conventions);
        let ids = resources.iter().map(|resource| self.resource(&mut new, resource)).collect();
        new.append(writing)?;
        Ok(ids)
    }

    fn resource(&mut self, new: &mut NewResources, resource: &Resource) -> u32 {
        let next = self.next_resource;
        let id = *self.resources.entry(resource_hash(resource)).or_insert(next);
        if id == next {
            new.push(id, resource);
            self.next_resource = next.saturating_add(1);
        }
        id
    }

    /// Returns the store's id of each scope, writing those that are new.
    pub(super) fn scopes(&mut self, connection: &Connection, scopes: &[Scope]) -> duckdb::Result<Vec<u32>> {
        scopes.iter().map(|scope| self.scope(connection, scope)).collect()
    }

    fn scope(&mut self, connection: &Connection, scope: &Scope) -> duckdb::Result<u32> {
        let hash = scope_hash(scope);
        if let Some(&id) = self.scopes.get(&hash) {
            return Ok(id);
        }
        let id = self.next_scope;
        let values: [&dyn ToSql; 6] =
            [&id, &scope.name, &scope.version, &scope.attributes, &scope.schema_url, &scope.dropped_attributes];
        connection.prepare_cached("INSERT INTO raw_scopes VALUES (?, ?, ?, ?, ?, ?)")?.execute(&values[..])?;
        self.next_scope = id.saturating_add(1);
        self.scopes.insert(hash, id);
        Ok(id)
    }

    /// Returns the store's id of each alias set, 0 for the empty one first, writing those that are new.
    pub(super) fn alias_sets(
        &mut self,
        writing: &mut Writing<'_>,
        conventions: &Conventions,
        sets: &[Vec<(u16, u8)>],
    ) -> duckdb::Result<Vec<u32>> {
        let mut ids = vec![0];
        for set in sets {
            let keys = recorded_keys(conventions, set);
            ids.push(if keys.is_empty() { 0 } else { self.alias_set(writing, &keys)? });
        }
        Ok(ids)
    }

    fn alias_set(&mut self, writing: &mut Writing<'_>, keys: &[(String, String)]) -> duckdb::Result<u32> {
        let hash = alias_hash(keys);
        if let Some(&id) = self.alias_sets.get(&hash) {
            return Ok(id);
        }
        let id = self.next_alias_set;
        write_alias_set(writing, id, keys)?;
        self.next_alias_set = id.saturating_add(1);
        self.alias_sets.insert(hash, id);
        Ok(id)
    }
}

/// (column, recorded key) of each member of a set, sorted by column.
fn recorded_keys(conventions: &Conventions, set: &[(u16, u8)]) -> Vec<(String, String)> {
    let columns: Vec<&Convention> = conventions.span_columns().collect();
    let mut keys: Vec<(String, String)> = set
        .iter()
        .filter_map(|&(column, alias)| {
            let convention = columns.get(usize::from(column))?;
            let key = convention.aliases.get(usize::from(alias).checked_sub(1)?)?;
            Some((convention.column.clone(), key.clone()))
        })
        .collect();
    keys.sort();
    keys
}

/// Resources that the store does not have yet, as columns: a source may bring a million of them.
struct NewResources<'conventions> {
    conventions: &'conventions Conventions,
    id: Vec<u32>,
    service: TextColumn,
    attributes: TextColumn,
    schema_url: TextColumn,
    dropped_attributes: Vec<u32>,
    columns: Vec<ConventionColumn>,
}

impl<'conventions> NewResources<'conventions> {
    fn new(conventions: &'conventions Conventions) -> Self {
        Self {
            conventions,
            id: Vec::new(),
            service: TextColumn::default(),
            attributes: TextColumn::default(),
            schema_url: TextColumn::default(),
            dropped_attributes: Vec::new(),
            columns: conventions.all().iter().map(|one| ConventionColumn::new(one.value)).collect(),
        }
    }

    fn push(&mut self, id: u32, resource: &Resource) {
        let row = self.id.len();
        self.id.push(id);
        self.service.push(&resource.service);
        self.attributes.push(&resource.attributes);
        self.schema_url.push(&resource.schema_url);
        self.dropped_attributes.push(resource.dropped_attributes);
        let Ok(Value::Object(attributes)) = serde_json::from_str(&resource.attributes) else { return };
        for (convention, column) in self.conventions.all().iter().zip(&mut self.columns) {
            if let Some(value) = recorded(convention, &attributes) {
                column.pad(row);
                push_value(column, value);
            }
        }
    }

    fn append(mut self, writing: &mut Writing<'_>) -> duckdb::Result<()> {
        let len = self.id.len();
        if len == 0 {
            return Ok(());
        }
        self.columns.iter_mut().for_each(|column| column.pad(len));
        let columns = self.into_columns().map_err(|error| duckdb::Error::ToSqlConversionFailure(error.into()))?;
        writing.append("raw_resources", columns)
    }

    fn into_columns(self) -> Result<Columns, ArrowError> {
        let mut columns = Columns::default();
        columns.word("id", self.id);
        columns.text("service", self.service)?;
        columns.text("attributes", self.attributes)?;
        columns.text("schema_url", self.schema_url)?;
        columns.word("dropped_attributes", self.dropped_attributes);
        for (convention, column) in self.conventions.all().iter().zip(self.columns) {
            columns.convention(&convention.column, column)?;
        }
        Ok(columns)
    }
}

/// The canonical key goes before older ones.
fn recorded<'a>(convention: &Convention, attributes: &'a Map<String, Value>) -> Option<&'a Value> {
    std::iter::once(&convention.key).chain(&convention.aliases).find_map(|key| attributes.get(key))
}

/// A value of another type leaves the column empty.
fn push_value(column: &mut ConventionColumn, value: &Value) {
    match (column, value) {
        (ConventionColumn::Text(column), Value::String(text)) => column.push(text),
        (ConventionColumn::Bool(column), Value::Bool(flag)) => column.push(*flag),
        (ConventionColumn::Int(column), Value::Number(number)) => {
            if let Some(number) = number.as_i64() {
                column.push(number);
            }
        }
        (ConventionColumn::Double(column), Value::Number(number)) => {
            if let Some(number) = number.as_f64().filter(|_| number.is_f64()) {
                column.push(number);
            }
        }
        _ => {}
    }
}

/// Writes one alias set: the recorded key in the column of each convention.
fn write_alias_set(writing: &mut Writing<'_>, id: u32, keys: &[(String, String)]) -> duckdb::Result<()> {
    let mut columns = Columns::default();
    columns.word("id", vec![id]);
    for (column, key) in keys {
        let mut text = TextColumn::default();
        text.push(key);
        columns.text(column, text).map_err(|error| duckdb::Error::ToSqlConversionFailure(error.into()))?;
    }
    writing.append("raw_alias_sets", columns)
}

/// Each part is preceded by its length, so that no two contents read the same.
fn hash(parts: &[&str], number: u32) -> u128 {
    let mut hasher = Xxh3::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.update(&number.to_le_bytes());
    hasher.digest128()
}

fn resource_hash(resource: &Resource) -> u128 {
    hash(&[&resource.service, &resource.attributes, &resource.schema_url], resource.dropped_attributes)
}

fn scope_hash(scope: &Scope) -> u128 {
    hash(&[&scope.name, &scope.version, &scope.attributes, &scope.schema_url], scope.dropped_attributes)
}

fn alias_hash(keys: &[(String, String)]) -> u128 {
    let parts: Vec<&str> = keys.iter().flat_map(|(column, key)| [column.as_str(), key.as_str()]).collect();
    hash(&parts, 0)
}
