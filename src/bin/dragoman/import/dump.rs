//! Tables of LiteLLM's database, as `psql` and LiteLLM's own API give them: CSV with a head, or JSON.

use serde_json::{Map, Value};

/// A row: columns by name. Columns without a value are not there.
pub type Row = Map<String, Value>;

/// The rows of the tables.
#[derive(Default)]
pub struct Dump {
    /// LiteLLM_VerificationToken.
    pub keys: Vec<Row>,
    /// LiteLLM_TeamTable.
    pub teams: Vec<Row>,
    /// LiteLLM_BudgetTable.
    pub budgets: Vec<Row>,
}

/// Reads all files. Which table a row is of, its columns tell.
pub fn load(paths: &[String]) -> Result<Dump, String> {
    let mut dump = Dump::default();
    for path in paths {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
        let rows = if text.trim_start().starts_with(['[', '{']) { json(&text) } else { csv(&text) };
        for row in rows.map_err(|fault| format!("{path}: {fault}"))? {
            if row.contains_key("token") {
                dump.keys.push(row);
            } else if row.contains_key("team_id") {
                dump.teams.push(row);
            } else if row.contains_key("budget_id") {
                dump.budgets.push(row);
            } else {
                return Err(format!("{path}: a row has no column `token`, `team_id` or `budget_id`"));
            }
        }
    }
    Ok(dump)
}

/// Rows in a list, in a list under any name, or one behind the other.
fn json(text: &str) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter() {
        collect(value.map_err(|error| error.to_string())?, &mut rows);
    }
    Ok(rows)
}

fn collect(value: Value, rows: &mut Vec<Row>) {
    match value {
        Value::Array(values) => values.into_iter().for_each(|value| collect(value, rows)),
        Value::Object(mut row) => {
            let tables: Vec<Value> = row.values_mut().filter(|value| is_table(value)).map(Value::take).collect();
            let is_row = ["token", "team_id", "budget_id"].iter().any(|name| row.contains_key(*name));
            if !is_row && !tables.is_empty() {
                return tables.into_iter().for_each(|table| collect(table, rows));
            }
            // What the API of teams adds to each: their keys, in part.
            row.retain(|_, value| !value.is_null());
            rows.push(row);
        }
        _ => {}
    }
}

fn is_table(value: &Value) -> bool {
    value.as_array().is_some_and(|rows| rows.iter().all(Value::is_object) && !rows.is_empty())
}

fn csv(text: &str) -> Result<Vec<Row>, String> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let names = reader.headers().map_err(|error| error.to_string())?.clone();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        let cells = names.iter().zip(&record).filter(|(_, cell)| !cell.is_empty());
        rows.push(cells.map(|(name, cell)| (name.trim().to_owned(), value(cell))).collect());
    }
    Ok(rows)
}

/// A cell of a CSV file: PostgreSQL writes JSON as such, and lists in braces. All else is text.
fn value(cell: &str) -> Value {
    match serde_json::from_str(cell) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => value,
        _ => match cell.strip_prefix('{').and_then(|cell| cell.strip_suffix('}')) {
            Some(items) => list(items),
            None => cell.into(),
        },
    }
}

/// The items of a list: `a,"b, c",d`.
fn list(items: &str) -> Value {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .double_quote(false)
        .escape(Some(b'\\'))
        .from_reader(items.as_bytes());
    let record = reader.records().next().and_then(Result::ok).unwrap_or_default();
    record.iter().map(Value::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn csv_is_what_postgresql_writes() {
        let text = "token,models,metadata,expires,blocked,rpm_limit\n\
            ab,\"{gpt-4o,\"\"a, b\"\"}\",\"{\"\"tags\"\": [\"\"x\"\"]}\",2027-01-01 00:00:00,t,60\n\
            cd,{},{},,,\n";
        let expected = json!([
            {"token": "ab", "models": ["gpt-4o", "a, b"], "metadata": {"tags": ["x"]}, "expires": "2027-01-01 00:00:00",
             "blocked": "t", "rpm_limit": "60"},
            {"token": "cd", "models": {}, "metadata": {}},
        ]);
        assert_eq!(json!(csv(text).unwrap()), expected);
    }

    #[test]
    fn json_comes_in_several_shapes() {
        let expected = json!([{"token": "ab", "models": ["m"]}, {"team_id": "t"}]);
        for text in [
            r#"[{"token": "ab", "models": ["m"], "expires": null}, {"team_id": "t"}]"#,
            r#"{"LiteLLM_VerificationToken": [{"token": "ab", "models": ["m"]}], "LiteLLM_TeamTable": [{"team_id": "t"}]}"#,
            "{\"token\": \"ab\", \"models\": [\"m\"]}\n{\"team_id\": \"t\"}\n",
            r#"{"keys": [{"token": "ab", "models": ["m"]}, {"team_id": "t"}], "total_count": 2}"#,
        ] {
            assert_eq!(json!(json(text).unwrap()), expected, "{text}");
        }
    }
}
