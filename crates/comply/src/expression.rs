//! CEL with bounds: short, shallow, at most one comprehension, compiled once, yes or no.

use crate::fact::{Fact, parse_date};
use cel::common::ast::{EntryExpr, Expr, IdedExpr};
use cel::objects::Map;
use cel::parser::Parser;
use cel::{Context, Env, ExecutionError, Value};
use kernel::Timestamp;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

/// Longest expression, in bytes.
pub(crate) const EXPRESSION_BYTES_MAX: usize = 2_048;
/// Deepest nesting, as written and as parsed.
pub(crate) const EXPRESSION_DEPTH_MAX: usize = 16;
/// Most comprehensions (`all`, `exists`, `map`, `filter`): one, so that the work stays linear in
/// the length of a fact's list.
pub(crate) const COMPREHENSIONS_MAX: usize = 1;
/// Names that are bound beside the attributes of the fact.
const ALWAYS_BOUND: [&str; 2] = ["id", "known_by"];
/// By how many days another system's clock may be ahead of ours.
const CLOCK_DAYS_AHEAD_MAX: i64 = 1;
const FUNCTIONS: [&str; 2] = ["days_since", "days_until"];

/// Why a text is not an expression of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// Longer than 2 kB.
    #[error("the expression is longer than 2,048 bytes")]
    TooLong,
    /// Nested deeper than 16.
    #[error("the expression is nested deeper than 16")]
    TooDeep,
    /// More than one comprehension.
    #[error("the expression has more than one comprehension")]
    TooManyComprehensions,
    /// Not CEL.
    #[error("not CEL: {0}")]
    Syntax(String),
    /// Names something that the kind of fact does not have.
    #[error("`{0}` is not an attribute of this kind of fact")]
    UnknownName(String),
}

/// A compiled expression.
#[derive(Clone)]
pub struct Expression {
    source: String,
    root: Arc<IdedExpr>,
    names: BTreeSet<String>,
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.source).finish()
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Expression {}

impl Expression {
    /// Compiles an expression that may name these attributes.
    ///
    /// # Errors
    /// When it passes a bound, is not CEL, or names something else.
    pub fn compile(source: &str, attributes: &BTreeSet<&str>) -> Result<Self, ExpressionError> {
        if source.len() > EXPRESSION_BYTES_MAX {
            return Err(ExpressionError::TooLong);
        }
        // Before parsing, so that no text can drive the parser deep.
        if written_depth(source) > EXPRESSION_DEPTH_MAX {
            return Err(ExpressionError::TooDeep);
        }
        let root = Parser::new()
            .parse(source)
            .map_err(|errors| ExpressionError::Syntax(first_line(&errors.to_string())))?;
        let mut walk = Walk::default();
        walk.visit(&root, 1)?;
        if walk.comprehensions > COMPREHENSIONS_MAX {
            return Err(ExpressionError::TooManyComprehensions);
        }
        let names: BTreeSet<_> = walk.names.difference(&walk.own).cloned().collect();
        let known = |name: &str| attributes.contains(name) || ALWAYS_BOUND.contains(&name);
        if let Some(unknown) = names.iter().find(|name| !known(name)) {
            return Err(ExpressionError::UnknownName(unknown.clone()));
        }
        Ok(Self { source: source.to_owned(), root: Arc::new(root), names })
    }

    /// The text.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The attributes that it reads.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }
}

/// How deep brackets and chains of prefix operators nest in a text, strings left out.
fn written_depth(source: &str) -> usize {
    let (mut depth, mut deepest, mut prefix) = (0usize, 0usize, 0usize);
    let mut chars = source.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' | '\'' => {
                while let Some(inner) = chars.next() {
                    match inner {
                        '\\' => drop(chars.next()),
                        _ if inner == c => break,
                        _ => {}
                    }
                }
                prefix = 0;
            }
            '(' | '[' | '{' => {
                depth += 1;
                prefix = 0;
            }
            ')' | ']' | '}' => {
                depth = depth.saturating_sub(1);
                prefix = 0;
            }
            '!' | '-' => prefix += 1,
            '?' => depth += 1,
            _ if c.is_whitespace() => {}
            _ => prefix = 0,
        }
        deepest = deepest.max(depth + prefix);
    }
    deepest
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(300).collect()
}

#[derive(Default)]
struct Walk {
    names: BTreeSet<String>,
    own: BTreeSet<String>,
    comprehensions: usize,
}

impl Walk {
    fn visit(&mut self, node: &IdedExpr, depth: usize) -> Result<(), ExpressionError> {
        if depth > EXPRESSION_DEPTH_MAX {
            return Err(ExpressionError::TooDeep);
        }
        let deeper = depth + 1;
        match &node.expr {
            Expr::Ident(name) => {
                self.names.insert(name.clone());
            }
            Expr::Call(call) => {
                for child in call.target.as_deref().into_iter().chain(&call.args) {
                    self.visit(child, deeper)?;
                }
            }
            Expr::List(list) => {
                for child in &list.elements {
                    self.visit(child, deeper)?;
                }
            }
            Expr::Map(map) => {
                for entry in &map.entries {
                    self.entry(&entry.expr, deeper)?;
                }
            }
            Expr::Struct(made) => {
                for entry in &made.entries {
                    self.entry(&entry.expr, deeper)?;
                }
            }
            Expr::Select(select) => self.visit(&select.operand, deeper)?,
            Expr::Comprehension(each) => {
                self.comprehensions += 1;
                self.own.insert(each.iter_var.clone());
                self.own.extend(each.iter_var2.clone());
                self.own.insert(each.accu_var.clone());
                let parts = [&each.iter_range, &each.accu_init, &each.loop_step, &each.result];
                for part in parts {
                    self.visit(part, deeper)?;
                }
            }
            Expr::Literal(_) | Expr::Unspecified => {}
        }
        Ok(())
    }

    fn entry(&mut self, entry: &EntryExpr, depth: usize) -> Result<(), ExpressionError> {
        match entry {
            EntryExpr::MapEntry(entry) => {
                self.visit(&entry.key, depth)?;
                self.visit(&entry.value, depth)
            }
            EntryExpr::StructField(field) => self.visit(&field.value, depth),
        }
    }
}

/// Evaluates expressions at one moment.
pub(crate) struct Evaluator {
    context: Context<'static, 'static>,
}

/// Why an expression gave no answer for one fact.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoAnswer {
    #[error("{0}")]
    Failed(String),
    #[error("the expression is neither true nor false")]
    NotYesOrNo,
}

impl Evaluator {
    pub(crate) fn at(now: Timestamp) -> Result<Self, NoAnswer> {
        let mut context = Context::with_env(Arc::new(Env::stdlib()));
        let [since, until] = FUNCTIONS;
        let days_since = move |text: Arc<String>| match days_from(&text, now) {
            None => Err(ExecutionError::function_error(since, "not a date")),
            // A date ahead of time would count as recent for years.
            Some(days) if days < -CLOCK_DAYS_AHEAD_MAX => {
                Err(ExecutionError::function_error(since, "the date lies in the future"))
            }
            Some(days) => Ok(days),
        };
        let days_until = move |text: Arc<String>| {
            let days = parse_date(&text).map(|date| date.seconds_since(now).div_euclid(86_400));
            days.ok_or_else(|| ExecutionError::function_error(until, "not a date"))
        };
        context
            .add_function(since, days_since)
            .and_then(|()| context.add_function(until, days_until))
            .map_err(|error| NoAnswer::Failed(error.to_string()))?;
        Ok(Self { context })
    }

    pub(crate) fn holds(&self, expression: &Expression, fact: &Fact) -> Result<bool, NoAnswer> {
        let mut scope = self.context.new_inner_scope();
        for name in &expression.names {
            let value = match name.as_str() {
                "id" => Value::from(fact.id.as_str()),
                "known_by" => Value::from(fact.known_by.word()),
                _ => match fact.attributes.get(name) {
                    Some(value) => to_cel(value),
                    None => continue,
                },
            };
            scope.add_variable_from_value(name.as_str(), value);
        }
        match scope.resolve(&expression.root) {
            Ok(Value::Bool(answer)) => Ok(answer),
            Ok(_) => Err(NoAnswer::NotYesOrNo),
            Err(error) => Err(NoAnswer::Failed(first_line(&error.to_string()))),
        }
    }
}

/// Whole days from a date to now.
fn days_from(text: &str, now: Timestamp) -> Option<i64> {
    parse_date(text).map(|date| now.seconds_since(date).div_euclid(86_400))
}

/// JSON as CEL sees it: whole numbers are `int`, so that they compare with literals.
fn to_cel(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(number) => number
            .as_i64()
            .map(Value::Int)
            .or_else(|| number.as_f64().map(Value::Float))
            .unwrap_or(Value::Null),
        serde_json::Value::String(text) => Value::from(text.as_str()),
        serde_json::Value::Array(items) => {
            Value::List(Arc::new(items.iter().map(to_cel).collect()))
        }
        serde_json::Value::Object(entries) => {
            let map: HashMap<String, Value> =
                entries.iter().map(|(key, value)| (key.clone(), to_cel(value))).collect();
            Value::Map(Map::from(map))
        }
    }
}
