//! Queries of sqlx 0.9, sea-orm and diesel as subsegments.

mod diesel;
mod postgres;
mod sea_orm;
