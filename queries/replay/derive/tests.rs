mod anything;
mod recorded;
mod scenes;
mod shop;
