//! Wrong documents and what is said about them.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

fn faults(json: &str) -> String {
    let faults = Config::parse(json.as_bytes(), &env).expect_err(json);
    faults.iter().map(Fault::to_string).collect::<Vec<_>>().join("\n")
}

fn check(json: &str, expected: &[&str]) {
    assert_eq!(faults(json), expected.join("\n"), "{json}");
}

/// Checks a document with one good upstream `a`, open to all, and `extra`.
fn extra(extra: &str, expected: &[&str]) {
    let auth = if extra.contains("client_auth") { "" } else { r#""client_auth":"open","# };
    check(&format!(r#"{{{auth}"upstreams":{{"a":{{"provider":"openai","credentials":"none"}}}},{extra}}}"#), expected);
}

/// Checks a document whose upstream `u` is of OpenAI and has `extra`.
fn upstream(extra: &str, expected: &[&str]) {
    let credentials = if extra.contains("credentials") { "" } else { r#","credentials":"none""# };
    let json = format!(r#"{{"client_auth":"open","upstreams":{{"u":{{"provider":"openai"{credentials},{extra}}}}}}}"#);
    check(&json, expected);
}

/// Checks a document whose upstream `u` has these credentials.
fn credentials(credentials: &str, expected: &[&str]) {
    upstream(&format!(r#""credentials":{credentials}"#), expected);
}

/// Checks a document with the upstreams `a` and `b` and one model.
fn model(model: &str, expected: &[&str]) {
    let a = r#"{"provider":"openai","credentials":"none"}"#;
    let b = r#"{"provider":"anthropic","credentials":"client"}"#;
    check(&format!(r#"{{"client_auth":"open","upstreams":{{"a":{a},"b":{b}}},"models":[{{{model}}}]}}"#), expected);
}

/// Checks a document with one key, known by its hash.
fn key(key: &str, expected: &[&str]) {
    let hash = if key.contains("hash") {
        ""
    } else {
        r#""hash":"sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08","#
    };
    extra(&format!(r#""client_auth":"keys","teams":[{{"id":"search"}}],"keys":[{{{hash}{key}}}]"#), expected);
}

#[test]
fn documents() {
    check("", &["the document cannot be read: the text ends where a value is expected at byte 0"]);
    check("[]", &["expected an object, got an array"]);
    check(
        r#"{"role":"gateway","role":"upstream"}"#,
        &["the document cannot be read: a second member `role` in one object at byte 18"],
    );
    check(
        "{}",
        &[
            "client_auth: missing; write `keys`, `open`, `metadata:NS.KEY`, `filter_state:NAME` or `header:NAME`",
            "upstreams: missing; name at least one account at a provider",
        ],
    );
    check(&" ".repeat(8 * 1024 * 1024 + 1), &["the document is larger than 8 MiB"]);
}

#[test]
fn top_level() {
    extra(r#""modles":[]"#, &["modles: unknown key; did you mean `models`?"]);
    extra(
        r#""zzz":1"#,
        &["zzz: unknown key; known here: `role`, `client_auth`, `upstreams`, `models`, `teams`, `keys`, \
           `unsupported_params`, `remote_images`, `metrics`, `prices`, `reserve`"],
    );
    extra(r#""role":"gatway""#, &["role: unknown value `gatway`; did you mean `gateway`?"]);
    extra(r#""role":"x""#, &["role: unknown value `x`; expected `gateway`, `standalone` or `upstream`"]);
    extra(r#""role":null"#, &["role: expected a string, got null"]);
    extra(r#""prices":{},"reserve":"most""#, &["reserve: unknown value `most`; expected `max` or `typical`"]);
    let images = |images: &str, fault: &str| extra(&format!(r#""remote_images":{images}"#), &[fault]);
    images(
        "{}",
        "remote_images.hosts: missing; list the hosts that images may come from, such as `images.example.com` or \
         `*.example.com`",
    );
    images(r#"{"hosts":[]}"#, "remote_images.hosts: none listed; leave `remote_images` out to fetch nothing");
    for host in ["*", "*.com.", "localhost", "10.0.0.1", "https://a.example", "a.example:443", "a.*.example"] {
        let what = "must be the name of a host, such as `images.example.com` or `*.example.com`";
        images(&format!(r#"{{"hosts":["{host}"]}}"#), &format!("remote_images.hosts[0]: `{host}` {what}"));
    }
    extra(r#""unsupported_params":"rejct""#, &["unsupported_params: unknown value `rejct`; did you mean `reject`?"]);
    extra(
        r#""metrics":{"key_label":"teams","max_series":0,"labels":1}"#,
        &[
            "metrics.key_label: unknown value `teams`; did you mean `team`?",
            "metrics.max_series: expected a whole number from 1 to 1000000, got `0`",
            "metrics.labels: unknown key; known here: `key_label`, `max_series`",
        ],
    );
    extra(
        r#""metrics":{"max_series":"5000"}"#,
        &["metrics.max_series: expected a whole number from 1 to 1000000, got a string"],
    );
}

#[test]
fn client_auth() {
    let expected = "expected `keys`, `open`, `metadata:NS.KEY`, `filter_state:NAME` or `header:NAME`";
    for (written, message) in [
        (r#""key""#, "unknown value `key`; did you mean `keys`?".to_owned()),
        (r#""jwt""#, format!("unknown value `jwt`; {expected}")),
        (r#""open:x""#, "unknown value `open:x`; did you mean `open`?".to_owned()),
        (r#""filter_state:""#, format!("unknown value `filter_state:`; {expected}")),
        (
            r#""metadata:jwt""#,
            "expected `metadata:NS.KEY`, such as `metadata:envoy.filters.http.jwt_authn.key_id`".to_owned(),
        ),
        (r#""header:a b""#, "`a b` cannot be the name of a header".to_owned()),
        (
            r#""header:Authorization""#,
            "`authorization` is where keys come; name a header that only the host sets".to_owned(),
        ),
        (
            r#""header:x-dragoman-key""#,
            "`x-dragoman-key`: headers that start with `x-dragoman-` are the filter's own".to_owned(),
        ),
        (r#""header:Host""#, "`host` belongs to the host and the filter".to_owned()),
        (
            "true",
            "expected `keys`, `open`, `metadata:NS.KEY`, `filter_state:NAME` or `header:NAME`, got a boolean"
                .to_owned(),
        ),
    ] {
        extra(&format!(r#""client_auth":{written}"#), &[&format!("client_auth: {message}")]);
    }
}

#[test]
fn upstreams() {
    check(r#"{"client_auth":"open","upstreams":{}}"#, &["upstreams: expected at least one upstream"]);
    check(
        r#"{"client_auth":"open","upstreams":{"a b":1}}"#,
        &[
            "upstreams.a b: the name of an upstream has 1 to 64 letters, digits and `_` `.` `-`",
            "upstreams.a b: expected an object, got a number",
        ],
    );
    check(
        r#"{"client_auth":"open","upstreams":{"claude":{"provider":"antropic","credentials":"none"}}}"#,
        &["upstreams.claude.provider: unknown provider `antropic`; did you mean `anthropic`?"],
    );
    check(
        r#"{"client_auth":"open","upstreams":{"u":{"provider":"qqqqqq","credentials":"none"}}}"#,
        &["upstreams.u.provider: unknown provider `qqqqqq`; `openai_compatible` takes any server in OpenAI's format"],
    );
    check(
        r#"{"client_auth":"open","upstreams":{"u":{}}}"#,
        &[
            "upstreams.u.provider: missing; name a provider, such as `anthropic`",
            "upstreams.u.credentials: missing; write `{ api_key: { env: NAME } }`, `host`, `client` or `none`",
        ],
    );
    check(
        r#"{"client_auth":"open","upstreams":{"u":{"provider":"openai_compatible","credentials":"none"}}}"#,
        &["upstreams.u.base_url: missing; `openai_compatible` has no address of its own"],
    );
    upstream(
        r#""base_url":"https://user:hunter2@llm.example""#,
        &["upstreams.u.base_url: must hold no user and no password; use `credentials`"],
    );
    upstream(r#""options":{"region":"eu"}"#, &["upstreams.u.options.region: unknown option; `openai` takes none"]);
    upstream(
        r#""limits":{"rpm":"1","models":{}},"model":{}"#,
        &[
            "upstreams.u.limits.rpm: expected a whole number from 0 to 1000000000000000, got a string",
            "upstreams.u.limits.models: unknown key; known here: `rpm`, `tpm`, `input_tpm`, `parallel`",
            "upstreams.u.model: unknown key; did you mean `models`?",
        ],
    );
    upstream(
        r#""models":{"a*b*":"x","a":"*","b":1,"c":"","":"d"}"#,
        &[
            "upstreams.u.models.a*b*: a pattern has one `*`, not more",
            "upstreams.u.models.a: a `*` stands for what the `*` of the name matched; this name has none",
            "upstreams.u.models.b: expected a string, got a number",
            "upstreams.u.models.c: the name of a model has 1 to 256 bytes and no control characters",
            "upstreams.u.models.: the name of a model has 1 to 256 bytes and no control characters",
        ],
    );
}

#[test]
fn params() {
    upstream(
        r#""params":{"default":{"model":"x","seed":1},"force":{"stream":true,"stream_options":{},"user":"me"},"drop":["messages","user","seed",3],"add":{}}"#,
        &[
            "upstreams.u.params.default.model: `model` cannot be changed",
            "upstreams.u.params.force.stream: `stream` cannot be changed",
            "upstreams.u.params.force.stream_options: the filter asks for usage itself; `drop` keeps it from asking",
            "upstreams.u.params.drop[0]: `messages` cannot be changed",
            "upstreams.u.params.drop[1]: `user` is set by `default` or `force` as well",
            "upstreams.u.params.drop[2]: `seed` is set by `default` or `force` as well",
            "upstreams.u.params.drop[3]: expected a string, got a number",
            "upstreams.u.params.add: unknown key; known here: `default`, `force`, `drop`",
        ],
    );
}

#[test]
fn headers() {
    upstream(
        r#""headers":{"set":{":path":"/","Content-Length":"1","authorization":"Bearer hunter2","X-A":"a\nb","x-b":" b","x-c":1,"x-d":"é"}}"#,
        &[
            "upstreams.u.headers.set.:path: `:path` cannot be the name of a header",
            "upstreams.u.headers.set.Content-Length: `content-length` belongs to the host and the filter",
            "upstreams.u.headers.set.authorization: `authorization` is set by `credentials`",
            "upstreams.u.headers.set.X-A: the value of a header is at most 8192 bytes of visible ASCII, without outer spaces",
            "upstreams.u.headers.set.x-b: the value of a header is at most 8192 bytes of visible ASCII, without outer spaces",
            "upstreams.u.headers.set.x-c: expected a string, got a number",
            "upstreams.u.headers.set.x-d: the value of a header is at most 8192 bytes of visible ASCII, without outer spaces",
        ],
    );
    upstream(
        r#""headers":{"set":{"x-a":"1"},"remove":["X-A","x-dragoman-model"],"forward":["x-b","x-b","Cookie","X-Api-Key","te"]}"#,
        &[
            "upstreams.u.headers.remove[0]: `x-a` stands at `upstreams.u.headers.set.x-a` already",
            "upstreams.u.headers.remove[1]: `x-dragoman-model`: headers that start with `x-dragoman-` are the filter's own",
            "upstreams.u.headers.forward[1]: `x-b` stands at `upstreams.u.headers.forward[0]` already",
            "upstreams.u.headers.forward[2]: `cookie` would show the caller's key to the provider; see `credentials: client`",
            "upstreams.u.headers.forward[3]: `x-api-key` would show the caller's key to the provider; see `credentials: client`",
            "upstreams.u.headers.forward[4]: `te` belongs to the host and the filter",
        ],
    );
}

#[test]
fn credentials_never_show_what_they_hold() {
    let expected = "expected `{ api_key: … }`, `{ aws: … }`, `{ azure_ad: … }`, `{ gcp: … }`, `{ ibm_iam: … }`, \
                    `host`, `client` or `none`";
    let place = "upstreams.u.credentials";
    credentials("\"hunter2\"", &[&format!("{place}: {expected}")]);
    credentials("2", &[&format!("{place}: {expected}, got a number")]);
    credentials("{}", &[&format!("{place}: {expected}")]);
    credentials(r#"{"hunter2":1}"#, &[&format!("{place}: unknown key; {expected}")]);
    credentials(r#"{"apikey":"hunter2"}"#, &[&format!("{place}.apikey: unknown key; did you mean `api_key`?")]);
    credentials(r#"{"gcp":{},"api_key":{"env":"A_KEY"}}"#, &[&format!("{place}: {expected}")]);

    let expected = "expected `{ env: NAME }` or `{ value: \"…\" }`";
    let place = "upstreams.u.credentials.api_key";
    let key = |key: &str, expected: &[&str]| credentials(&format!(r#"{{"api_key":{key}}}"#), expected);
    key("\"hunter2\"", &[&format!("{place}: {expected}, got a string")]);
    key("[]", &[&format!("{place}: expected at least one key")]);
    key("{}", &[&format!("{place}: {expected}")]);
    key(r#"{"hunter2":null}"#, &[&format!("{place}: unknown key; {expected}")]);
    key(r#"{"evn":"X"}"#, &[&format!("{place}.evn: unknown key; did you mean `env`?")]);
    key(r#"{"env":"A_KEY","value":"hunter2"}"#, &[&format!("{place}: {expected}")]);
    key(
        r#"{"env":"hunter-2"}"#,
        &[&format!("{place}.env: expected the name of an environment variable: letters, digits and `_`")],
    );
    key(r#"{"value":""}"#, &[&format!("{place}.value: the key is empty")]);
    let header =
        "the key cannot stand in a header: it is too long, or holds line breaks, outer spaces or other than ASCII";
    key(r#"{"value":"hunter2 "}"#, &[&format!("{place}.value: {header}")]);
    key(
        r#"[{"env":"BAD_KEY"},"hunter2",{"value":"hun\r\nter2"}]"#,
        &[
            &format!("{place}[0].env: {header}"),
            &format!("{place}[1]: {expected}, got a string"),
            &format!("{place}[2].value: {header}"),
        ],
    );
}

#[test]
fn callers_own_keys() {
    check(
        r#"{"client_auth":"keys","upstreams":{"a":{"provider":"openai","credentials":"client"}}}"#,
        &[
            "upstreams.a.credentials: `client` cannot be used with `client_auth: keys`: the virtual key comes where the provider's would",
        ],
    );
    model(
        r#""name":"m","upstreams":["a","b"]"#,
        &[
            "models[0].upstreams: `b` has `credentials: client`, so all upstreams of the model must be of the provider `anthropic`",
        ],
    );
}

#[test]
fn models() {
    model(
        "",
        &[
            "models[0].name: missing; name the model as clients ask for it",
            "models[0].upstreams: missing; list at least one",
        ],
    );
    model(r#""name":"m","upstreams":[]"#, &["models[0].upstreams: expected at least one upstream"]);
    model(
        r#""name":"m","upstreams":["c",{"name":"a","wieght":1},{"name":"a","weight":0},{},7,"a","a"]"#,
        &[
            "models[0].upstreams[0]: unknown upstream `c`; it must stand in `upstreams`",
            "models[0].upstreams[1].wieght: unknown key; did you mean `weight`?",
            "models[0].upstreams[2].weight: expected a whole number from 1 to 1000, got `0`",
            "models[0].upstreams[3].name: missing; name an upstream",
            "models[0].upstreams[4]: expected the name of an upstream or `{ name: …, weight: … }`, got a number",
            "models[0].upstreams[5]: this upstream stands in the list already",
            "models[0].upstreams[6]: this upstream stands in the list already",
        ],
    );
    model(
        r#""name":"m","upstreams":["nobody"]"#,
        &["models[0].upstreams[0]: unknown upstream `nobody`; it must stand in `upstreams`"],
    );
    model(r#""name":"a*b*","upstreams":["a"]"#, &["models[0].name: a pattern has one `*`, not more"]);
    model(
        r#""name":"m","aliases":["x","m","x","y*"],"upstreams":["a"]"#,
        &[
            "models[0].aliases[1]: `m` stands at `models[0].name` already",
            "models[0].aliases[2]: `x` stands at `models[0].aliases[0]` already",
            "models[0].aliases[3]: an alias is a plain name, without `*`",
        ],
    );
    model(
        r#""name":"m/*","aliases":["x"],"upstreams":["a"]"#,
        &["models[0].aliases: a pattern has no aliases: they would not say what its `*` stands for"],
    );
    model(
        r#""name":"m","upstreams":["a"],"upstream_models":{"a":"x*","b":"y","claude":"z"}"#,
        &[
            "models[0].upstream_models.a: a `*` stands for what the `*` of the model's name matched; this name has none",
            "models[0].upstream_models.b: `b` is none of the model's `upstreams`",
            "models[0].upstream_models.claude: unknown upstream `claude`; it must stand in `upstreams`",
        ],
    );
    model(
        r#""name":"m","upstreams":["a"],"balance":"usage""#,
        &["models[0].balance: `usage` goes by what is left of `upstreams.a.limits`, which are not there"],
    );
    model(
        r#""name":"m","upstreams":["a"],"balance":"wieghted","retries":11,"fallbacks":{},"limits":{"rmp":1},"price":{}"#,
        &[
            "models[0].balance: unknown value `wieghted`; did you mean `weighted`?",
            "models[0].retries: expected a whole number from 0 to 10, got `11`",
            "models[0].limits.rmp: unknown key; did you mean `rpm`?",
            "models[0].price: names no price; expected at least one of `input`, `output`, `image` and `request`",
        ],
    );
    model(
        r#""name":"m","upstreams":["a"],"timeouts":{"first_token":10,"idle":10,"total":"0s","first":"1s"}"#,
        &[
            "models[0].timeouts.first_token: expected a duration such as `500ms`, `10s`, `5m` or `1h`, got a number",
            "models[0].timeouts.idle: expected a duration such as `500ms`, `10s`, `5m` or `1h`, got a number",
            "models[0].timeouts.total: must be longer than nothing; to have no limit, remove it",
            "models[0].timeouts.first: unknown key; known here: `first_token`, `idle`, `total`",
        ],
    );
    model(
        r#""name":"m","upstreams":["a"],"timeouts":{"total":"25h"}"#,
        &["models[0].timeouts.total: `25h` is longer than `24h`"],
    );
    extra(
        r#""models":[{"name":"m","upstreams":["a"]},{"name":"n","aliases":["m"],"upstreams":["a"]}]"#,
        &["models[1].aliases[0]: `m` stands at `models[0].name` already"],
    );
}

#[test]
fn prices() {
    let number = "expected a price in USD per million tokens, from 0 to 18000000, with at most 12 decimals";
    extra(
        r#""prices":{"m":{"input":-1,"output":"3","cache_read":1e-13,"inptu":1,"request":19,"flex":{"batch":{}}},"":{"input":1}}"#,
        &[
            &format!("prices.m.input: {number}"),
            "prices.m.output: expected a number, the price in USD per million tokens, got a string",
            &format!("prices.m.cache_read: {number}"),
            "prices.m.inptu: unknown key; did you mean `input`?",
            "prices.m.request: expected a price in USD, from 0 to 18, with at most 18 decimals",
            "prices.m.flex.batch: unknown key; known here: `input`, `output`, `cache_read`, `cache_write`, `cache_write_1h`, \
                `reasoning`, `input_audio`, `output_audio`, `input_image`, `output_image`, `image`, `request`, `character`, `second`, `above`",
            "prices.: expected the name of a model",
        ],
    );
    extra(
        r#""prices":{"m":{"input":1,"above":{"many":{"input":2},"0":{"input":2},"200k":{"input":null,"x":1}}},"n":3,"o":{"flex":{"input":1}}}"#,
        &[
            "prices.m.above.many: expected a number of tokens such as `200k` or `200000`",
            "prices.m.above.0: expected a number of tokens such as `200k` or `200000`",
            "prices.m.above.200k.input: expected a number, the price in USD per million tokens, got null",
            "prices.m.above.200k.x: unknown key; known here: `input`, `output`, `cache_read`, `cache_write`, `cache_write_1h`, \
                `reasoning`, `input_audio`, `output_audio`, `input_image`, `output_image`, `image`, `request`, `character`, `second`",
            "prices.n: expected an object, got a number",
            "prices.o: names no price; expected at least one of `input`, `output`, `image` and `request`",
        ],
    );
    extra(r#""prices":[]"#, &["prices: expected an object, got an array"]);
    model(
        r#""name":"m","upstreams":["a"],"price":{"input":1,"output":true}"#,
        &["models[0].price.output: expected a number, the price in USD per million tokens, got a boolean"],
    );
}

#[test]
fn keys() {
    key(
        r#""name":"x""#,
        &[
            "keys[0].id: missing; give the key an id",
            "keys[0].name: unknown key; known here: `id`, `hash`, `models`, `team`, `expires`, `upstreams`, `disabled`, `tags`, `limits`, `budget`",
        ],
    );
    key(r#""id":"a b""#, &["keys[0].id: `a b` must be 1 to 128 letters, digits and `_` `.` `:` `@` `/` `-`"]);
    for hash in
        ["sk-hunter2", "sha256:hunter2", &format!("sha256:{}é", "0".repeat(62)), &format!("SHA256:{}", "0".repeat(64))]
    {
        key(
            &format!(r#""id":"a","hash":"{hash}""#),
            &["keys[0].hash: expected `sha256:` and 64 hexadecimal digits, the SHA-256 of the secret"],
        );
    }
    extra(
        r#""client_auth":"keys","keys":[{"id":"a"}]"#,
        &["keys[0].hash: missing; `dragoman key new` makes a key and prints its hash"],
    );
    key(r#""id":"a","team":"serach""#, &["keys[0].team: unknown team `serach`; did you mean `search`?"]);
    key(
        r#""id":"a","expires":"2027-02-30T00:00:00Z","disabled":"no","tags":["a,b",""],"models":["a**",null]"#,
        &[
            "keys[0].expires: `2027-02-30T00:00:00Z` is not a time such as `2027-01-01T00:00:00Z`, from 1970 on",
            "keys[0].disabled: expected `true` or `false`, got a string",
            "keys[0].tags[0]: a tag has 1 to 64 bytes, no commas and no control characters",
            "keys[0].tags[1]: a tag has 1 to 64 bytes, no commas and no control characters",
            "keys[0].models[0]: a pattern has one `*`, not more",
            "keys[0].models[1]: expected a string, got null",
        ],
    );
    // Nothing after a colon is a slip of the pen, and must not allow every model.
    key(r#""id":"a","models":null"#, &["keys[0].models: expected a list, got null"]);
    key(
        r#""id":"a","limits":{"tpm":1.5,"parallel":-1,"models":{"m**":{},"m":{"models":{}}}},"budget":{}"#,
        &[
            "keys[0].limits.tpm: expected a whole number from 0 to 1000000000000000, got `1.5`",
            "keys[0].limits.parallel: expected a whole number from 0 to 1000000000000000, got `-1`",
            "keys[0].limits.models.m**: a pattern has one `*`, not more",
            "keys[0].limits.models.m.models: unknown key; known here: `rpm`, `tpm`, `input_tpm`, `parallel`",
            "keys[0].budget.usd: missing; say how much may be spent",
            "keys[0].budget.per: missing; say in what time",
        ],
    );
    key(
        r#""id":"a","budget":{"usd":"25","per":"dya","spent":-1}"#,
        &[
            "keys[0].budget.usd: expected a number, in USD, got a string",
            "keys[0].budget.per: unknown value `dya`; did you mean `day`?",
            "keys[0].budget.spent: expected USD, from 0 to 18000000000, with at most 9 decimals",
        ],
    );
    key(
        r#""id":"a","budget":{"usd":0.0000000001,"per":"day","spend":1}"#,
        &[
            "keys[0].budget.usd: expected USD, from 0 to 18000000000, with at most 9 decimals",
            "keys[0].budget.spend: unknown key; did you mean `spent`?",
        ],
    );
    let hash = "0".repeat(64);
    extra(
        &format!(
            r#""client_auth":"keys","keys":[{{"id":"a","hash":"sha256:{hash}"}},{{"id":"a","hash":"sha256:{hash}"}}]"#
        ),
        &["keys[1].id: a key with the id `a` is listed already", "keys[1].hash: another key has the same hash"],
    );
}

#[test]
fn teams() {
    extra(
        r#""teams":[{"id":"a","limits":[]},{"id":"a","budget":25},{},1]"#,
        &[
            "teams[0].limits: expected an object, got an array",
            "teams[1].id: a team with the id `a` is listed already",
            "teams[1].budget: expected an object, got a number",
            "teams[2].id: missing; give the team an id",
            "teams[3]: expected an object, got a number",
        ],
    );
}

#[test]
fn a_hundred_faults_are_enough() {
    let models = vec!["1"; 1000].join(",");
    let faults = faults(&format!(
        r#"{{"client_auth":"open","upstreams":{{"a":{{"provider":"openai","credentials":"none"}}}},"models":[{models}]}}"#
    ));
    assert_eq!(faults.lines().count(), 101);
    assert_eq!(faults.lines().last(), Some("and 900 more"));
}

#[test]
fn every_cut_of_the_example_is_a_fault_and_no_panic() {
    for end in 0..EXAMPLE.trim_end().len() {
        assert!(Config::parse(&EXAMPLE.as_bytes()[..end], &env).is_err());
    }
}

#[test]
fn any_value_in_any_place_is_read_without_panic() {
    for value in ["null", "true", "-1", "1e999", "\"\"", "\"*\"", "[]", "[[]]", "{}", r#"{"":{}}"#, r#""\ud800""#] {
        let example: serde_json::Value = serde_json::from_str(EXAMPLE).unwrap();
        for place in places(&example, String::new()) {
            let mut changed = example.clone();
            *changed.pointer_mut(&place).unwrap() = serde_json::Value::String("@".to_owned());
            let json = changed.to_string().replacen("\"@\"", value, 1);
            let _checked = Config::parse(json.as_bytes(), &env);
        }
    }
}

/// JSON pointers to all values.
fn places(value: &serde_json::Value, at: String) -> Vec<String> {
    let inner: Vec<String> = match value {
        serde_json::Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| places(value, format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"))))
            .collect(),
        serde_json::Value::Array(items) => {
            items.iter().enumerate().flat_map(|(i, value)| places(value, format!("{at}/{i}"))).collect()
        }
        _ => Vec::new(),
    };
    inner.into_iter().chain([at]).collect()
}

#[test]
fn fallbacks() {
    let of = |list: &str| format!(r#""name":"m","aliases":["n"],"upstreams":["a"],"fallbacks":{list}"#);
    model(
        &of(r#"{"context_window":["m"]}"#),
        &["models[0].fallbacks.context_window[0]: a model cannot stand in for itself"],
    );
    model(
        &of(r#"{"content_policy":["n"]}"#),
        &["models[0].fallbacks.content_policy[0]: a model cannot stand in for itself"],
    );
    model(
        &of(r#"{"context_window":["nn","a*"],"rate_limit":[]}"#),
        &[
            "models[0].fallbacks.context_window[0]: unknown model `nn`; name one of `models`",
            "models[0].fallbacks.context_window[1]: name one model, without `*`",
            "models[0].fallbacks.rate_limit: unknown key; known here: `context_window`, `content_policy`",
        ],
    );
}

#[test]
fn what_passes() {
    let expected = "expected a method, or `*`, and a path, such as `GET /files/*` or `* /batches/**`";
    for rule in
        ["/files", "get /files", "GET files", "GET /a/../b", "GET /a//b", "GET /a/**/b", "GET /a%2f", "GET /a*", ""]
    {
        upstream(&format!(r#""pass":["{rule}"]"#), &[&format!("upstreams.u.pass[0]: {expected}; got `{rule}`")]);
    }
    let keys = r#"{"aws":{"access_key_id":{"value":"a"},"secret_access_key":{"value":"b"}}}"#;
    let bedrock = format!(
        r#"{{"provider":"bedrock","options":{{"region":"us-east-1"}},"credentials":{keys},"pass":["GET /a"]}}"#
    );
    check(
        &format!(r#"{{"client_auth":"open","upstreams":{{"u":{bedrock}}}}}"#),
        &["upstreams.u.pass: signed requests cannot be passed on as they come; use an API key"],
    );
    extra(
        r#""keys":[{"id":"k","upstreams":["b"]}]"#,
        &["keys[0].upstreams[0]: unknown upstream `b`; it must stand in `upstreams`"],
    );
}
