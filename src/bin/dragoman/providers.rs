//! The catalogue, for people and scripts.

use std::process::ExitCode;

use dragoman::format::{Format, Operation};
use dragoman::provider::{Address, Auth, CallIds, Effort, PROVIDERS, Provider, Surface, Thought};
use serde_json::{Map, Value, json};

/// How it is shown.
#[derive(clap::Args)]
pub struct Options {
    /// All that is known of each provider, as JSON.
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// A table in Markdown, as the README has it.
    #[arg(long)]
    markdown: bool,
}

/// Prints the catalogue.
pub fn run(options: Options) -> Result<ExitCode, String> {
    let text = if options.json {
        let all: Vec<Value> = PROVIDERS.iter().map(facts).collect();
        serde_json::to_string_pretty(&all).map_err(|error| error.to_string())? + "\n"
    } else if options.markdown {
        markdown()
    } else {
        table()
    };
    crate::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// What stands for the address of a provider that has none of its own.
const CONFIGURED: &str = "base_url";

fn table() -> String {
    let head = ["ID", "NAME", "ADDRESS", "KEY", "FORMATS"].map(str::to_owned);
    let rows = PROVIDERS.iter().map(|provider| {
        let key = if provider.env.is_empty() { "-" } else { provider.env };
        [provider.id, provider.name, address(provider).unwrap_or(CONFIGURED), key, &formats(provider)]
            .map(str::to_owned)
    });
    let rows: Vec<[String; 5]> = std::iter::once(head).chain(rows).collect();
    let mut widths = [0_usize; 5];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: &[String; 5]| {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

fn markdown() -> String {
    let mut text = "| provider | `provider:` | address | key | formats |\n|---|---|---|---|---|\n".to_owned();
    for provider in PROVIDERS {
        let code = |text: &str| if text.is_empty() { String::new() } else { format!("`{text}`") };
        text.push_str(&format!(
            "| [{}]({}) | `{}` | {} | {} | {} |\n",
            provider.name.replace('|', "\\|"),
            provider.docs,
            provider.id,
            address(provider).map_or_else(|| "your `base_url`".to_owned(), code),
            code(provider.env),
            formats(provider),
        ));
    }
    text
}

fn facts(provider: &Provider) -> Value {
    let (header, prefix) = match provider.auth {
        Auth::Bearer | Auth::IbmIam => ("authorization", "Bearer "),
        Auth::Header(name) | Auth::Headers(name, _) => (name, ""),
        Auth::Token => ("authorization", "Token "),
    };
    let headers: Map<String, Value> =
        provider.headers.iter().map(|(n, value)| ((*n).to_owned(), (*value).into())).collect();
    let surface = |surface: &Surface| {
        json!({
            "operation": operation(surface.operation),
            "path": surface.path.0,
            "models": surface.models,
            "format": format(surface.format),
        })
    };
    let quirks = &provider.quirks;
    let renamed: Map<String, Value> =
        quirks.rename.iter().map(|(ours, theirs)| ((*ours).to_owned(), (*theirs).into())).collect();
    let clamped: Map<String, Value> =
        quirks.clamp.iter().map(|(field, low, high)| ((*field).to_owned(), json!([low, high]))).collect();
    json!({
        "id": provider.id,
        "name": provider.name,
        "otel": provider.otel,
        "address": address(provider),
        "auth": { "header": header, "prefix": prefix },
        "tokens": provider.tokens.iter().map(|issuer| issuer.name()).collect::<Vec<_>>(),
        "headers": headers,
        "surfaces": provider.surfaces.iter().map(surface).collect::<Vec<_>>(),
        "quirks": {
            "drop": quirks.drop,
            "rename": renamed,
            "clamp": clamped,
            "stream_options": quirks.stream_options,
            "developer_role": quirks.developer_role,
            "effort": effort(quirks.effort),
            "thought": match quirks.thought {
                Thought::Field { says, .. } => Some(says),
                Thought::Hidden => None,
                Thought::Parts { .. } => Some("content"),
            },
            "prefill": quirks.prefill,
            "call_ids": match quirks.call_ids {
                CallIds::Any => json!(null),
                CallIds::Exactly(length) => json!({ "exactly": length }),
                CallIds::UpTo(most) => json!({ "up_to": most }),
            },
            "signed_thought": quirks.signed_thought,
            "foreign": quirks.foreign,
        },
        "lacks": provider.lacks.iter().map(|feature| feature.name()).collect::<Vec<_>>(),
        "env": Some(provider.env).filter(|name| !name.is_empty()),
        "docs": provider.docs,
    })
}

/// What `reasoning_effort` becomes, or its words.
fn effort(effort: Effort) -> Value {
    match effort {
        Effort::Known => "reasoning_effort".into(),
        Effort::Switch { field, .. } => field.into(),
        Effort::Words(words) => words.into(),
    }
}

fn address(provider: &Provider) -> Option<&'static str> {
    match provider.address {
        Address::Configured => None,
        Address::Fixed(url) => Some(url),
        Address::Of(url, _) => Some(url.0),
    }
}

/// The formats in which it answers, each once.
fn formats(provider: &Provider) -> String {
    let mut names: Vec<&str> = provider.surfaces.iter().map(|surface| format(surface.format)).collect();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}

fn format(format: Format) -> &'static str {
    match format {
        Format::BedrockImages | Format::FireworksImages | Format::Images | Format::Imagen => "images",
        Format::DeepgramListen | Format::ElevenLabsTranscripts | Format::Transcriptions => "transcriptions",
        Format::DeepgramSpeak | Format::ElevenLabsSpeech | Format::Speech => "speech",
        Format::Chat => "chat",
        Format::Bedrock => "converse",
        Format::Completions => "completions",
        Format::Cohere => "cohere",
        Format::BedrockEmbeddings
        | Format::Embeddings
        | Format::GeminiEmbeddings
        | Format::VertexEmbeddings
        | Format::VertexPredict => "embeddings",
        Format::Gemini | Format::Vertex => "gemini",
        Format::Messages => "messages",
        Format::Moderations => "moderations",
        Format::Ollama => "ollama",
        Format::Replicate => "replicate",
        Format::Rerank | Format::VertexRank => "rerank",
        Format::Responses => "responses",
    }
}

fn operation(operation: Operation) -> &'static str {
    match operation {
        Operation::CountTokens => "count_tokens",
        Operation::Embed => "embed",
        Operation::EditImages => "edit_images",
        Operation::Image => "image",
        Operation::Speak => "speak",
        Operation::Transcribe => "transcribe",
        Operation::Translate => "translate",
        Operation::Moderate => "moderate",
        Operation::Pass => "pass",
        Operation::Rank => "rerank",
        Operation::Generate => "generate",
        Operation::Resource => "resource",
    }
}
