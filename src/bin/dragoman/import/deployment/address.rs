//! Where an account is.

use dragoman::provider::{Address, Provider};
use serde_json::{Map, Value};

use super::Reading;

/// Where LiteLLM wants the path of the API in the address, and we do not.
const PATHS: &[&str] = &[
    "/api/chat",
    "/api/generate",
    "/chat/completions",
    "/completions",
    "/embeddings",
    "/v1/chat",
    "/v1/messages",
    "/v2/chat",
    "/v2/embed",
];

/// Options by LiteLLM's names: (provider, its setting, our option, its variable).
const OPTIONS: &[(&str, &str, &str, &str)] = &[
    ("azure", "api_version", "api_version", "AZURE_API_VERSION"),
    ("bedrock", "aws_region_name", "region", "AWS_REGION_NAME"),
    ("bedrock", "region_name", "region", "AWS_REGION"),
    ("cloudflare", "account_id", "account", "CLOUDFLARE_ACCOUNT_ID"),
    ("sagemaker_chat", "aws_region_name", "region", "AWS_REGION_NAME"),
    ("sagemaker_chat", "region_name", "region", "AWS_REGION"),
    ("vertex", "vertex_project", "project", "VERTEXAI_PROJECT"),
    ("vertex", "vertex_location", "region", "VERTEXAI_LOCATION"),
    ("watsonx", "project_id", "project", "WATSONX_PROJECT_ID"),
    ("watsonx", "space_id", "space", "WATSONX_DEPLOYMENT_SPACE_ID"),
    ("watsonx", "watsonx_region_name", "region", "WATSONX_REGION"),
];

/// Variables in which people keep the address of a server of their own.
const VARIABLES: &[(&str, &str)] = &[
    ("azure", "AZURE_API_BASE"),
    ("azure_ai", "AZURE_AI_API_BASE"),
    ("databricks", "DATABRICKS_API_BASE"),
    ("heroku", "HEROKU_API_BASE"),
    ("hosted_vllm", "HOSTED_VLLM_API_BASE"),
    ("infinity", "INFINITY_API_BASE"),
    ("litellm_proxy", "LITELLM_PROXY_API_BASE"),
    ("lm_studio", "LM_STUDIO_API_BASE"),
    ("ollama", "OLLAMA_API_BASE"),
    ("snowflake", "SNOWFLAKE_API_BASE"),
    ("xinference", "XINFERENCE_API_BASE"),
];

impl Reading<'_, '_> {
    /// The address, if it is not the catalogue's, and the options. What LiteLLM has in the address and we in the model's name
    /// goes to `model`.
    pub(super) fn address(
        &mut self,
        provider: &Provider,
        known: Option<&str>,
        model: &mut String,
    ) -> (Option<String>, Map<String, Value>) {
        let mut options = self.options(provider, model);
        let written = self.params.take_any(&["api_base", "base_url", "aws_bedrock_runtime_endpoint"]);
        let variable = VARIABLES.iter().find(|(id, _)| *id == provider.id).map(|(_, name)| *name);
        let (found, from) = match &written {
            Some((value, from)) => (self.source.resolve(value), Some(from.clone())),
            None => (variable.and_then(|name| self.source.variable(name)), None),
        };
        let to = format!("{}.base_url", self.upstream);
        let Some(url) = found else {
            if let Some(known) = known {
                return (Some(known.to_owned()), options);
            }
            if written.is_none() && provider.address != Address::Configured {
                return (None, options);
            }
            if let Some(from) = from {
                self.report.approximate(from, to, "the environment variable is not set here");
            }
            return (Some(self.unknown(provider)), options);
        };
        // Azure's addresses may come with their version.
        let odd: &[char] = if provider.id == "azure" { &['@', '#'] } else { &['@', '?', '#'] };
        if url.contains(odd) {
            // What it holds may be a secret.
            if let Some(from) = from {
                self.report.unsupported(from, "an address has no user, query or fragment");
            }
            return (Some(self.unknown(provider)), options);
        }
        let (url, changed) = shortened(provider.id, &url, &mut options, model);
        if let Some(from) = from {
            if changed {
                self.report.approximate(from, to, "without the part of the path that the catalogue adds");
            } else {
                self.report.exact(from, to);
            }
        }
        let is_own = matches!(provider.address, Address::Fixed(own) if own == url);
        ((!is_own).then_some(url), options)
    }

    /// What stands for an address that is not known.
    fn unknown(&mut self, provider: &Provider) -> String {
        let url = format!("https://{}.invalid", provider.id.replace('_', "-"));
        self.report.step(format!("write the address of `{}` in place of `{url}`", provider.id));
        url
    }

    fn options(&mut self, provider: &Provider, model: &mut String) -> Map<String, Value> {
        let mut options = Map::new();
        if provider.id == "bedrock"
            && let Some((region, rest)) = model.split_once('/')
            && region.split('-').count() >= 3
        {
            options.insert("region".to_owned(), region.into());
            *model = rest.to_owned();
        }
        for (_, setting, option, variable) in OPTIONS.iter().filter(|(id, _, _, _)| *id == provider.id) {
            if !provider.options.iter().any(|known| known.name == *option) {
                continue;
            }
            let written = self.params.take(setting);
            let value = match &written {
                Some((value, _)) => self.source.resolve(value),
                None => self.source.variable(variable),
            };
            if let Some((_, from)) = written {
                match &value {
                    Some(_) => self.report.exact(from, format!("{}.options.{option}", self.upstream)),
                    None => self.report.unsupported(from, "the environment variable is not set here"),
                }
            }
            if let Some(value) = value.filter(|_| !options.contains_key(*option)) {
                // Azure's API without versions.
                let versionless = *option == "api_version" && matches!(value.as_str(), "latest" | "preview");
                options.insert((*option).to_owned(), if versionless { "v1".into() } else { value.into() });
            }
        }
        for needed in provider.options.iter().filter(|known| known.default.is_none()) {
            if !options.contains_key(needed.name) {
                options.insert(needed.name.to_owned(), "unknown".into());
                let place = format!("options.{}", needed.name);
                self.report.step(format!("write `{place}` of `{}`, in place of `unknown`", provider.id));
            }
        }
        options
    }
}

/// The address as we have it, and whether it is another.
fn shortened(id: &str, url: &str, options: &mut Map<String, Value>, model: &mut String) -> (String, bool) {
    let whole = url.trim_end_matches('/');
    if !matches!(id, "azure" | "azure_ai") {
        let cut = PATHS.iter().fold(whole, |url, path| url.strip_suffix(path).unwrap_or(url));
        let cut = if matches!(id, "anthropic" | "cohere") { cut.strip_suffix("/v1").unwrap_or(cut) } else { cut };
        return (cut.to_owned(), cut != whole);
    }
    let start = whole.find("://").map_or(0, |at| at.saturating_add(3));
    let end = whole.get(start..).and_then(|rest| rest.find('/')).map_or(whole.len(), |at| start.saturating_add(at));
    let (origin, path) = whole.split_at_checked(end).unwrap_or((whole, ""));
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    if path.starts_with("/openai/v1") && id == "azure" {
        options.insert("api_version".to_owned(), "v1".into());
    }
    if let Some(rest) = path.strip_prefix("/openai/deployments/") {
        *model = rest.split('/').next().unwrap_or(rest).to_owned();
    }
    if let Some(version) = query.split('&').find_map(|pair| pair.strip_prefix("api-version=")) {
        options.insert("api_version".to_owned(), version.into());
    }
    (origin.to_owned(), origin != whole)
}

/// Whether an address only stands for one that is not known.
pub(super) fn is_unknown(url: &str) -> bool {
    url.ends_with(".invalid")
}

/// What tells one address from another: the first part of its host.
pub(super) fn label(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let host = rest.split(['/', ':']).next()?;
    let first = if host.bytes().all(|b| b.is_ascii_digit() || b == b'.') { host } else { host.split('.').next()? };
    let plain = first.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
    (plain && (1..=40).contains(&first.len())).then(|| first.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_cut_to_what_we_add_to() {
        for (id, url, expected) in [
            ("openai", "https://llm.example/v1/", "https://llm.example/v1"),
            ("openai_compatible", "http://vllm:8000/v1/chat/completions", "http://vllm:8000/v1"),
            ("anthropic", "https://a.example/v1/messages", "https://a.example"),
            ("anthropic", "https://a.example/v1", "https://a.example"),
            ("cohere", "https://api.cohere.com/v2/chat", "https://api.cohere.com"),
            ("ollama", "http://localhost:11434", "http://localhost:11434"),
            ("azure", "https://a.openai.azure.com/", "https://a.openai.azure.com"),
        ] {
            assert_eq!(shortened(id, url, &mut Map::new(), &mut String::new()).0, expected, "{url}");
        }
    }

    #[test]
    fn azures_whole_addresses_are_taken_apart() {
        let (mut options, mut model) = (Map::new(), "x".to_owned());
        let url = "https://a.openai.azure.com/openai/deployments/mine/chat/completions?api-version=2025-01-01";
        let found = shortened("azure", url, &mut options, &mut model);
        assert_eq!(found, ("https://a.openai.azure.com".to_owned(), true));
        assert_eq!((model.as_str(), options.get("api_version")), ("mine", Some(&"2025-01-01".into())));
        shortened("azure", "https://a.openai.azure.com/openai/v1/", &mut options, &mut model);
        assert_eq!(options.get("api_version"), Some(&"v1".into()));
    }

    #[test]
    fn hosts_have_labels() {
        for (url, expected) in [
            ("https://contoso.openai.azure.com", Some("contoso")),
            ("http://10.0.0.1:8000/v1", Some("10.0.0.1")),
            ("http://[::1]:8000", None),
        ] {
            assert_eq!(label(url).as_deref(), expected, "{url}");
        }
    }
}
