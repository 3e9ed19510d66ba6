use std::collections::HashMap;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::provider;
use crate::usage::Usage;

/// Rates of prices in USD per million, as `prices.tsv` has them.
fn rates(text: &str) -> Rates {
    let price = |text: &str| {
        let (name, amount) = text.split_once('=').unwrap();
        let (name, above) = name.split_once('>').unwrap_or((name, "0"));
        let (part, class) = name.split_once('.').unwrap_or((name, "standard"));
        let part = Part::ALL.iter().find(|(name, _)| *name == part).unwrap().1;
        let class = Class::ALL.iter().find(|(name, _)| *name == class).unwrap().1;
        Price { part, class, above: above.parse().unwrap(), amount: decimal(amount, 12).unwrap() }
    };
    Rates::new("m", text.split(' ').map(price).collect())
}

fn check(prices: &str, usage: Usage, nanodollars: u64) {
    assert_eq!(cost(&rates(prices), &usage, Class::Standard), Some(nanodollars), "{prices} {usage:?}");
}

fn tokens(input: u64, output: u64) -> Usage {
    Usage { input, output, ..Usage::default() }
}

const SONNET: &str = "input=3 output=15 cache_read=0.3 cache_write=3.75 cache_write_1h=6";

#[test]
fn plain_calls() {
    // 1000 * 3000 + 500 * 15000
    check(SONNET, tokens(1000, 500), 10_500_000);
    check(SONNET, tokens(0, 0), 0);
    check(SONNET, tokens(1, 0), 3000);
}

#[test]
fn cached_input_is_paid_once() {
    let call = |cache_read, cache_write, cache_write_1h| Usage {
        cache_read,
        cache_write,
        cache_write_1h,
        ..tokens(10_000, 100)
    };
    // 2000 * 3000 + 8000 * 300 + 100 * 15000
    check(SONNET, call(8000, 0, 0), 9_900_000);
    // 4000 * 3000 + 6000 * 3750 + 1500000
    check(SONNET, call(0, 6000, 0), 36_000_000);
    // 1000 * 3000 + 5000 * 300 + 3000 * 3750 + 1000 * 6000 + 1500000
    check(SONNET, call(5000, 4000, 1000), 23_250_000);
    // All of it for an hour.
    check(SONNET, call(0, 10_000, 10_000), 61_500_000);
    // Parts that are more than the whole: 10000 * 300 + 1500000
    check(SONNET, call(20_000, 5000, 9000), 4_500_000);
    // Without prices of their own they are input like any other.
    check("input=3 output=15", call(5000, 4000, 1000), 31_500_000);
    // Only the hour's is missing.
    check("input=3 output=15 cache_write=3.75", call(0, 10_000, 10_000), 39_000_000);
}

#[test]
fn reasoning_and_audio_are_paid_once() {
    let call = Usage {
        reasoning: 40,
        output_audio: 10,
        input_audio: 20,
        input_image: 30,
        output_image: 5,
        ..tokens(100, 100)
    };
    // 50 * 1 + 20 * 10 + 30 * 2, and 45 * 4 + 40 * 6 + 10 * 20 + 5 * 30, in micro-dollars
    let prices = "input=1 output=4 reasoning=6 input_audio=10 output_audio=20 input_image=2 output_image=30";
    check(prices, call, 1_080_000);
    check("input=1 output=4", call, 500_000);
    // Sound from the cache is paid as what was cached.
    check(
        "input=1 output=4 cache_read=0.5 input_audio=10",
        Usage { cache_read: 100, input_audio: 20, ..tokens(100, 0) },
        50_000,
    );
}

#[test]
fn tiers_hold_for_the_whole_call() {
    let prices = "input=1.25 output=10 cache_read=0.125 input>200000=2.5 output>200000=15 cache_read>200000=0.25";
    check(prices, tokens(200_000, 1000), 260_000_000);
    check(prices, tokens(200_001, 1000), 515_002_500);
    // The tier goes by all input: 1 * 2500 + 200000 * 250 + 1000 * 15000
    check(prices, Usage { cache_read: 200_000, ..tokens(200_001, 1000) }, 65_002_500);
    // Of several tiers the highest that is reached; what a tier has no price for costs what it costs below.
    let prices = "input=1 output=2 input>32000=2 input>128000=3 output>128000=4";
    check(prices, tokens(32_000, 10), 32_020_000);
    check(prices, tokens(32_001, 10), 64_022_000);
    check(prices, tokens(128_001, 10), 384_043_000);
}

#[test]
fn classes_of_service() {
    let prices = rates(
        "input=2 output=8 cache_read=0.5 input.flex=1 output.flex=4 input.priority=3.5 output.priority=14 input.batch=1 output.batch=4",
    );
    let usage = Usage { cache_read: 400, ..tokens(1000, 100) };
    for (tier, nanodollars) in [
        ("default", 600 * 2000 + 400 * 500 + 100 * 8000),
        ("auto", 600 * 2000 + 400 * 500 + 100 * 8000),
        ("scale", 600 * 2000 + 400 * 500 + 100 * 8000),
        // No price of its own for what was cached: that of the standard class.
        ("flex", 600 * 1000 + 400 * 500 + 100 * 4000),
        ("batch", 600 * 1000 + 400 * 500 + 100 * 4000),
        ("priority", 600 * 3500 + 400 * 500 + 100 * 14000),
    ] {
        assert_eq!(cost(&prices, &usage, Class::of(tier)), Some(nanodollars), "{tier}");
    }
    // The class has no price for so much input: the dearer of its own and the tier's.
    let prices =
        rates("input=2 output=8 input>272000=4 input.priority=3 output.priority=16 input.flex=1 input.flex>272000=2");
    assert_eq!(cost(&prices, &tokens(272_001, 0), Class::Priority), Some(272_001 * 4000));
    assert_eq!(cost(&prices, &tokens(272_000, 0), Class::Priority), Some(272_000 * 3000));
    assert_eq!(cost(&prices, &tokens(272_001, 0), Class::Flex), Some(272_001 * 2000));
}

#[test]
fn fractions_are_summed_and_rounded_half_up_once() {
    // Half a nanodollar a token.
    check("input=0.0005 output=0.0005", tokens(1, 0), 1);
    check("input=0.0005 output=0.0005", tokens(1, 1), 1);
    check("input=0.0005 output=0.0005", tokens(2, 1), 2);
    check("input=0.000499999999 output=0", tokens(1, 0), 0);
    // 0.0375 USD per million: 37.5 nanodollars a token.
    check("input=0.0375 output=0.15", tokens(1, 0), 38);
    check("input=0.0375 output=0.15", tokens(3, 0), 113);
    check("input=0.141953125 output=0.283906251", tokens(1_000_003, 7), 141_955_538);
    // A third, with twelve decimals: 333333333333 picodollars per million times 3 million.
    check("input=0.333333333333 output=1", tokens(3_000_000, 0), 1_000_000_000);
}

#[test]
fn pieces_and_requests() {
    let images = Usage { images: 3, ..tokens(50, 0) };
    // 0.04 USD each; tokens are not paid.
    check("image=40000", images, 120_000_000);
    // 0.005 USD a call, and tokens.
    check("input=1 output=1 request=5000", tokens(1000, 1000), 7_000_000);
    check("request=2000", tokens(12, 0), 2_000_000);
}

#[test]
fn what_has_no_price_is_unknown() {
    assert_eq!(cost(&rates("input=1"), &tokens(5, 1), Class::Standard), None);
    assert_eq!(cost(&rates("input=1"), &tokens(5, 0), Class::Standard), Some(5000));
    assert_eq!(cost(&rates("output=1"), &tokens(5, 1), Class::Standard), None);
    assert_eq!(most(&rates("input=1"), 5, 1), None);
    assert_eq!(most(&rates("input=1"), 5, 0), Some(5000));
}

#[test]
fn nothing_overflows() {
    let dearest = rates("input=18446744.073709551615 output=18446744.073709551615");
    assert_eq!(cost(&dearest, &tokens(u64::MAX, u64::MAX), Class::Standard), Some(u64::MAX));
    assert_eq!(most(&dearest, u64::MAX, u64::MAX), Some(u64::MAX));
}

#[test]
fn the_most_is_the_dearest_of_all() {
    assert_eq!(most(&rates("input=3 output=15"), 1000, 100), Some(4_500_000));
    assert_eq!(most(&rates(SONNET), 1000, 100), Some(1000 * 6000 + 100 * 15000));
    assert_eq!(
        most(&rates("input=2 output=8 input.priority=4 output_audio=20 request=10"), 10, 10),
        Some(40_000 + 200_000 + 10_000)
    );
    // Only tiers that so much input can reach.
    let tiers = rates("input=1 output=2 input>1000=3 output>1000=4");
    assert_eq!(most(&tiers, 1000, 10), Some(1_020_000));
    assert_eq!(most(&tiers, 1001, 10), Some(3_043_000));
}

#[test]
fn no_call_costs_more_than_the_most() {
    for (name, prices) in table::all() {
        let rates = Rates::new(name.as_str(), prices);
        for input in [10, 150_000, 300_000] {
            let part = input / 5;
            let usage = Usage {
                cache_read: part,
                cache_write: part,
                cache_write_1h: part / 2,
                input_audio: part,
                input_image: part,
                reasoning: 20,
                output_audio: 20,
                output_image: 20,
                ..tokens(input, 100)
            };
            for (_, class) in Class::ALL {
                let paid = cost(&rates, &usage, class);
                assert!(paid.is_none() || paid <= most(&rates, input, 100), "{name} {input} {class:?}");
            }
        }
    }
}

#[test]
fn dollars_are_plain_decimals() {
    for (nanodollars, text) in [
        (0, "0"),
        (1, "0.000000001"),
        (100_000, "0.0001"),
        (1_500_000_000, "1.5"),
        (2_000_000_000, "2"),
        (u64::MAX, "18446744073.709551615"),
    ] {
        assert_eq!(dollars(nanodollars), text);
    }
}

#[test]
fn decimals_are_read_exactly() {
    for (text, number) in [
        ("0", Some(0)),
        ("0.000", Some(0)),
        ("3", Some(3_000_000_000_000)),
        ("3.0", Some(3_000_000_000_000)),
        ("0.1", Some(100_000_000_000)),
        ("1e-12", Some(1)),
        ("1.50E-7", Some(150_000)),
        ("2.5e+1", Some(25_000_000_000_000)),
        ("0.123456789012", Some(123_456_789_012)),
        ("0.1234567890120", Some(123_456_789_012)),
        ("18446744.073709551615", Some(u64::MAX)),
        ("18446744.073709551616", None),
        ("0.0000000000001", None),
        ("-1", None),
        ("1e99999999999", None),
        ("1e30", None),
        ("", None),
        (".5", None),
        ("1.5.5", None),
        ("+1", None),
    ] {
        assert_eq!(decimal(text, 12), number, "{text}");
    }
}

// The shipped table

#[test]
fn the_table_is_sorted_and_large() {
    let names: Vec<String> = table::all().map(|(name, _)| name).collect();
    assert!(names.len() >= 2500, "{}", names.len());
    assert!(names.is_sorted_by(|one, next| one < next));
    let source = include_str!("prices.tsv");
    let rows: Vec<&str> = source.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(names.len(), rows.len());
    for (name, row) in names.iter().zip(rows) {
        let (provider, rest) = row.split_once('\t').unwrap();
        let (model, prices) = rest.split_once('\t').unwrap();
        assert_eq!(*name, format!("{provider}/{model}"));
        let found = table::find(name).unwrap();
        assert_eq!(&*found.name, model);
        assert_eq!(found.prices().len(), prices.split(' ').count(), "{name}");
    }
    for head in ["litellm ", "MIT", "202"] {
        assert!(source.lines().take(4).any(|line| line.contains(head)), "{head}");
    }
}

#[test]
fn every_provider_is_in_the_catalogue() {
    for (name, prices) in table::all() {
        let (id, model) = name.split_once('/').unwrap();
        assert!(provider::find(id).is_some(), "{id}");
        assert!(!model.is_empty() && !prices.is_empty(), "{name}");
        assert!(prices.iter().any(|price| price.amount > 0), "{name}");
        // A USD a token is nobody's price.
        assert!(prices.iter().all(|price| price.amount < 1_000_000_000_000_000_000), "{name}");
    }
}

fn at(provider: &str, model: &str) -> Option<Rates> {
    name::first(provider, model, &mut |provider, model| table::find(&format!("{provider}/{model}")))
}

/// Checks prices that a provider's page says, in USD per million.
fn says(page: &str, provider: &str, model: &str, prices: &str) {
    let found = at(provider, model).unwrap_or_else(|| panic!("{provider}/{model}"));
    for wanted in rates(prices).prices() {
        assert!(found.prices().contains(wanted), "{page}: {provider}/{model} {wanted:?} in {found:?}");
    }
}

#[test]
fn prices_are_those_of_the_providers_pages() {
    let page = "https://platform.claude.com/docs/en/about-claude/pricing";
    says(
        page,
        "anthropic",
        "claude-sonnet-4-5",
        "input=3 output=15 cache_read=0.3 cache_write=3.75 cache_write_1h=6 input.batch=1.5 output.batch=7.5",
    );
    says(page, "anthropic", "claude-haiku-4-5", "input=1 output=5 cache_read=0.1 cache_write=1.25 cache_write_1h=2");
    says(page, "anthropic", "claude-opus-5", "input=5 output=25 cache_read=0.5 cache_write=6.25 cache_write_1h=10");
    says(
        page,
        "anthropic",
        "claude-haiku-5-5",
        "input=0.1 output=0.5 cache_read=0.01 cache_write_1h=0.2 input>100000=0.5 output>100000=2.5",
    );
    let page = "https://platform.openai.com/docs/pricing";
    says(page, "openai", "gpt-4o", "input=2.5 cache_read=1.25 output=10 input.batch=1.25 output.batch=5");
    says(page, "openai", "gpt-4o-mini", "input=0.15 cache_read=0.075 output=0.6");
    says(page, "openai", "gpt-4.1", "input=2 cache_read=0.5 output=8");
    says(
        page,
        "openai",
        "gpt-5",
        "input=1.25 cache_read=0.125 output=10 input.flex=0.625 output.flex=5 input.priority=2.5 output.priority=20",
    );
    says(page, "openai", "o3", "input=2 cache_read=0.5 output=8");
    says(page, "openai", "text-embedding-3-small", "input=0.02 input.batch=0.01");
    let page = "https://ai.google.dev/gemini-api/docs/pricing";
    says(page, "gemini", "gemini-2.5-pro", "input=1.25 output=10 input>200000=2.5 output>200000=15");
    says(page, "gemini", "gemini-2.5-flash", "input=0.3 output=2.5 input_audio=1");
    says(
        "https://cloud.google.com/vertex-ai/generative-ai/pricing",
        "vertex",
        "gemini-2.5-pro",
        "input=1.25 output=10 input>200000=2.5",
    );
    let page = "https://azure.microsoft.com/en-us/pricing/details/cognitive-services/openai-service/";
    says(page, "azure", "gpt-4o", "input=2.5 output=10 cache_read=1.25");
    // A tenth more in a region than anywhere.
    let page = "https://aws.amazon.com/bedrock/pricing/";
    says(page, "bedrock", "global.anthropic.claude-sonnet-4-5-20250929-v1:0", "input=3 output=15");
    says(page, "bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "input=3.3 output=16.5 cache_read=0.33");
    says("https://docs.voyageai.com/docs/pricing", "voyage", "voyage-3.5", "input=0.06");
    says("https://cohere.com/pricing", "cohere", "command-a-03-2025", "input=2.5 output=10");
}

/// Names under which the price of `expected` is found.
fn is(provider: &str, models: &[&str], expected: &str) {
    for model in models {
        let found = at(provider, model).map(|rates| rates.name.to_string());
        assert_eq!(found.as_deref(), Some(expected), "{provider}/{model}");
    }
}

#[test]
fn names_are_found_whatever_stands_around_them() {
    is("openai", &["gpt-4o", "openai/gpt-4o", "gpt-4o-2031-01-31", "gpt-4o-latest"], "gpt-4o");
    is("openai", &["gpt-4o-2024-08-06"], "gpt-4o-2024-08-06");
    is("openai", &["ft:gpt-4o-2024-08-06:acme::x1", "ft:gpt-4o-2024-08-06"], "ft:gpt-4o-2024-08-06");
    is(
        "anthropic",
        &["claude-sonnet-4-5", "claude-sonnet-4-5-20311231", "claude-sonnet-4-5-latest"],
        "claude-sonnet-4-5",
    );
    is("anthropic", &["claude-sonnet-4-5-20250929"], "claude-sonnet-4-5-20250929");
    is("azure", &["gpt-4o", "azure/gpt-4o"], "gpt-4o");
    is("azure_ai", &["gpt-4o"], "gpt-4o");
    let exact = "anthropic.claude-sonnet-4-5-20250929-v1:0";
    is("bedrock", &[exact], exact);
    let ours = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
    is("bedrock", &[ours, &format!("arn:aws:bedrock:us-east-1:123456789012:inference-profile/{ours}")], ours);
    is("bedrock", &[&format!("arn:aws:bedrock:eu-west-1::foundation-model/{exact}")], exact);
    // A profile that has no price of its own, a region, another version.
    is(
        "bedrock",
        &["apac.meta.llama3-3-70b-instruct-v1:0", "me-central-1/meta.llama3-3-70b-instruct-v1:0"],
        "meta.llama3-3-70b-instruct-v1:0",
    );
    is(
        "bedrock",
        &["anthropic.claude-sonnet-4-5-20990101-v1:0", "anthropic.claude-sonnet-4-5"],
        "anthropic.claude-sonnet-4-5",
    );
    is(
        "vertex",
        &[
            "projects/p/locations/europe-west4/publishers/google/models/gemini-2.5-pro",
            "publishers/google/models/gemini-2.5-pro",
            "gemini-2.5-pro-001",
            "gemini-2.5-pro",
        ],
        "gemini-2.5-pro",
    );
    is(
        "vertex",
        &["claude-sonnet-4-5@20250929", "publishers/anthropic/models/claude-sonnet-4-5@20250929"],
        "claude-sonnet-4-5@20250929",
    );
    is("vertex", &["claude-sonnet-4-5@20991231", "claude-sonnet-4-5@latest"], "claude-sonnet-4-5");
    is(
        "vertex",
        &["publishers/meta/models/llama-4-maverick-17b-128e-instruct-maas"],
        "meta/llama-4-maverick-17b-128e-instruct-maas",
    );
    is("vertex_express", &["gemini-2.5-pro"], "gemini-2.5-pro");
    is("gemini", &["models/gemini-2.5-pro"], "gemini-2.5-pro");
    is(
        "fireworks_ai",
        &["qwen2p5-vl-7b-instruct", "accounts/fireworks/models/qwen2p5-vl-7b-instruct"],
        "accounts/fireworks/models/qwen2p5-vl-7b-instruct",
    );
    is("mistral", &["mistral-large-latest"], "mistral-large-latest");
    is("openrouter", &["openai/gpt-4o"], "gpt-4o");
    is("openrouter", &["anthropic/claude-sonnet-4.5", "anthropic/claude-sonnet-4-5"], "claude-sonnet-4-5");
    is("cloudflare", &["@cf/meta/llama-3.2-1b-instruct"], "@cf/meta/llama-3.2-1b-instruct");
}

#[test]
fn others_are_not_found_by_a_part_of_their_names() {
    for (provider, model) in [
        ("openai", "gpt-4o-ultra"),
        ("openai", "gpt"),
        ("openai", "gpt-"),
        ("openai", "gpt-4o-"),
        ("openai", "xgpt-4o"),
        ("openai", "GPT-4o"),
        ("openai", ""),
        ("openai", "-20250101"),
        ("openai", "@"),
        ("openai", "ft:gpt-4o-ultra:acme::x1"),
        ("openai", "gpt-4o-2024-13"),
        ("openai", "gpt-4o-20240"),
        ("openai", "gpt-4o:free"),
        ("openrouter", "openai/gpt-4o:free"),
        ("openrouter", "openai/gpt-4o:online"),
        // Many serve it, each at a price of its own.
        ("openrouter", "deepseek/deepseek-chat"),
        ("groq", "openai/gpt-4o"),
        ("anthropic", "claude-sonnet-4"),
        ("anthropic", "claude-sonnet"),
        ("anthropic", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("azure", "my-deployment"),
        ("bedrock", "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3"),
        ("bedrock", "us."),
        ("vertex", "publishers/google/models/"),
        ("openai_compatible", "gpt-4o"),
        ("nobody", "gpt-4o"),
    ] {
        assert_eq!(at(provider, model).map(|rates| rates.name), None, "{provider}/{model}");
    }
}

#[test]
fn what_operators_write_is_found_the_same_way() {
    let prices: HashMap<String, Rates> = ["mine", "openai/gpt-4o", "anthropic/claude-x"]
        .map(|name| (name.to_owned(), Rates::new(name, Vec::new())))
        .into();
    let found = |provider: &str, model: &str| {
        lookup_in(&prices, provider::find(provider).unwrap(), model).map(|rates| rates.name.to_string())
    };
    assert_eq!(found("groq", "mine").as_deref(), Some("mine"));
    assert_eq!(found("groq", "mine-20250101").as_deref(), Some("mine"));
    assert_eq!(found("openai", "gpt-4o-2024-08-06").as_deref(), Some("openai/gpt-4o"));
    assert_eq!(found("groq", "gpt-4o"), None);
    assert_eq!(found("anthropic", "claude-x-latest").as_deref(), Some("anthropic/claude-x"));
}

/// `cargo test --release --lib cost::tests::lookups_are_fast -- --ignored --nocapture`
#[cfg(not(target_arch = "wasm32"))]
#[test]
#[ignore = "measures time"]
#[expect(clippy::disallowed_methods, reason = "measures time")]
fn lookups_are_fast() {
    let names: Vec<(String, String)> = table::all()
        .filter_map(|(name, _)| name.split_once('/').map(|(id, model)| (id.to_owned(), model.to_owned())))
        .filter(|(id, _)| provider::find(id).is_some())
        .collect();
    let start = std::time::Instant::now();
    for _ in 0..100 {
        for (id, model) in &names {
            assert!(lookup(provider::find(id).unwrap(), model).is_some());
        }
    }
    let each = start.elapsed().as_nanos() / u128::try_from(names.len() * 100).unwrap();
    let missing = [("openai", "gpt-4o-ultra"), ("azure_ai", "my-deployment")];
    let start = std::time::Instant::now();
    for _ in 0..10_000 {
        for (id, model) in missing {
            assert!(lookup(provider::find(id).unwrap(), model).is_none());
        }
    }
    let missed = start.elapsed().as_nanos() / 20_000;
    println!("{each} ns for a model that is there, {missed} ns for one that is not");
}
