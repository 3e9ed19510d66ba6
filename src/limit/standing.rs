//! What is left of a subject's limits, and how clients are told.

/// What is left of what is limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Calls in the minute.
    pub requests: Option<Window>,
    /// Tokens in the minute.
    pub tokens: Option<Window>,
    /// Input tokens in the minute.
    pub input_tokens: Option<Window>,
    /// Calls at once.
    pub parallel: Option<Window>,
    /// Nanodollars.
    pub budget: Option<Window>,
}

/// One limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The limit.
    pub limit: u64,
    /// What is left of it.
    pub left: u64,
    /// What is reserved, settled, or the debt of windows before.
    pub taken: u64,
    /// In how many milliseconds the window ends, if it does.
    pub resets: Option<u64>,
}

/// [OpenAI's headers](https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers): of all windows those of
/// which least is left.
pub fn headers(standings: &[Standing]) -> Vec<(&'static str, String)> {
    let tightest = |windows: &mut dyn Iterator<Item = Window>| {
        windows.min_by_key(|window| (window.left, std::cmp::Reverse(window.resets)))
    };
    let requests = tightest(&mut standings.iter().filter_map(|standing| standing.requests));
    let tokens =
        tightest(&mut standings.iter().flat_map(|standing| [standing.tokens, standing.input_tokens]).flatten());
    let mut headers = Vec::with_capacity(6);
    if let Some(window) = requests {
        headers.extend([
            ("x-ratelimit-limit-requests", window.limit.to_string()),
            ("x-ratelimit-remaining-requests", window.left.to_string()),
            ("x-ratelimit-reset-requests", duration(window.resets.unwrap_or(0))),
        ]);
    }
    if let Some(window) = tokens {
        headers.extend([
            ("x-ratelimit-limit-tokens", window.limit.to_string()),
            ("x-ratelimit-remaining-tokens", window.left.to_string()),
            ("x-ratelimit-reset-tokens", duration(window.resets.unwrap_or(0))),
        ]);
    }
    headers
}

/// Milliseconds as OpenAI writes them: `20ms`, `7.66s`, `6m0s`, `1h2m3s`.
pub fn duration(milliseconds: u64) -> String {
    if milliseconds < 1000 {
        return if milliseconds == 0 { "0s".to_owned() } else { format!("{milliseconds}ms") };
    }
    let (seconds, rest) = (milliseconds / 1000, milliseconds % 1000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let fraction = if rest == 0 { String::new() } else { format!(".{rest:03}").trim_end_matches('0').to_owned() };
    match (hours, minutes) {
        (0, 0) => format!("{seconds}{fraction}s"),
        (0, _) => format!("{minutes}m{seconds}{fraction}s"),
        _ => format!("{hours}h{minutes}m{seconds}{fraction}s"),
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn durations_are_written_as_openai_writes_them() {
        for (milliseconds, expected) in [
            (0, "0s"),
            (17, "17ms"),
            (1000, "1s"),
            (7660, "7.66s"),
            (59_999, "59.999s"),
            (60_000, "1m0s"),
            (360_000, "6m0s"),
            (3_723_004, "1h2m3.004s"),
        ] {
            assert_eq!(duration(milliseconds), expected);
        }
    }

    #[test]
    fn the_tightest_window_is_told() {
        let window = |limit, left, resets| Some(Window { limit, left, taken: limit - left, resets: Some(resets) });
        let key = Standing { requests: window(60, 9, 1000), tokens: window(900, 800, 2000), ..Standing::default() };
        let team =
            Standing { requests: window(600, 30, 500), input_tokens: window(400, 100, 3000), ..Standing::default() };
        let told: Vec<_> = headers(&[key, team, Standing::default()]).into_iter().map(|(_, value)| value).collect();
        assert_eq!(told, ["60", "9", "1s", "400", "100", "3s"]);
        assert_eq!(headers(&[Standing::default()]), []);
    }
}
