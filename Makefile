# Each target is a command a person could type. Needs Go, git and make; the rest is installed into .tools at pinned versions.

KUSTOMIZE_VERSION     := v5.8.2
AGE_VERSION           := v1.3.2
GOLANGCI_LINT_VERSION := v2.15.0
GORELEASER_VERSION    := v2.16.0
SYFT_VERSION          := v1.52.0
SOPS_VERSION          := v3.13.3
KUBESEAL_VERSION      := v0.36.6
KSOPS_COMMIT          := d9442dc3153d9c16e517a68ce8926c9507386429
KSOPS_SOURCE          ?= https://github.com/viaduct-ai/kustomize-sops
GOVULNCHECK_VERSION   := v1.1.4
ACTIONLINT_VERSION    := v1.7.12
GITLEAKS_VERSION      := v8.30.1
KUBERNETES_VERSION    := v1.36.3
KUBECONFORM_VERSION   := v0.8.0
ARGOCD_VERSION        := $(shell awk '$$1 ~ /argo-cd/ { print $$2 }' internal/e2e/argocd/go.mod)

# Calls are inlined where builds spend their time. Elsewhere that only makes the binary larger: by 600 KB, and another 350 KB is HTTP/2, while
# HTTP/1.1 will do to fetch a resource now and then.
COLD     := crypto/tls crypto/x509 math/big net/http
HOT      := filippo.io/hpke/... github.com/ageseal/ageseal/crypt github.com/ageseal/ageseal/kustomize github.com/ageseal/ageseal/manifest \
	go.yaml.in/yaml/v3 sigs.k8s.io/kustomize/kyaml/...
BUILD    := CGO_ENABLED=0 go build -trimpath -tags nethttpomithttp2 -gcflags=all=-l -gcflags=std= $(COLD:%=-gcflags=%=-l) $(HOT:%=-gcflags=%=)
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
# provenance: what kustomize prints for managedByLabel; without it our builds would say "unknown" where kustomize says its version.
LDFLAGS  := -s -w -X main.version=$(VERSION) -X sigs.k8s.io/kustomize/api/provenance.version=$(KUSTOMIZE_VERSION)
FUZZTIME ?= 30s
IMAGE_ARCHS       := amd64 arm64
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct)
TOOLS    := $(CURDIR)/.tools
TESTTOOLS := .tools/.kustomize-$(KUSTOMIZE_VERSION)-age-$(AGE_VERSION)-batchpass
E2ETOOLS := .tools/.cluster-$(KUBERNETES_VERSION) .tools/.kubeconform-$(KUBECONFORM_VERSION)
E2ETOOLS += .tools/.argocd-$(ARGOCD_VERSION)
RELEASE  ?= --snapshot
export RELEASE
RELEASETOOLS := .tools/.goreleaser-$(GORELEASER_VERSION) .tools/.syft-$(SYFT_VERSION)
# goreleaser takes nothing from git, not even the commit, where there is no remote.
ORIGIN   := $(if $(shell git remote),,GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=remote.origin.url GIT_CONFIG_VALUE_0=https://github.com/ageseal/ageseal)
BENCHTOOLS := .tools/.sops-$(SOPS_VERSION) .tools/.ksops-$(KSOPS_COMMIT) .tools/.kubeseal-$(KUBESEAL_VERSION)
# As their authors release them, and as we are built: of that size, and without the dynamic linker at the start.
INSTALL  := GOBIN="$(TOOLS)" CGO_ENABLED=0 go install -ldflags "-s -w"

.PHONY: demo demo-svg test e2e race cover vuln build image bench fuzz lint snapshot dist reproducible release-files proof clean tools

demo: build ## the README's transcript on examples/, in a scratch repository
	@go run ./internal/demo -bin bin README.md

demo-svg: build ## draws docs/demo.svg anew, from the first commands of the README
	go run ./internal/demo -bin bin -svg docs/demo.svg README.md

test: $(TESTTOOLS) ## everything that runs without a cluster
	go vet ./...
	PATH="$(TOOLS):$$PATH" go test $(TESTFLAGS) ./...

e2e: build $(TESTTOOLS) $(E2ETOOLS) ## against a real API server, Argo CD and a container engine; what can't be had is skipped, and listed, if it is not in NEED
	go vet -tags e2e ./internal/e2e/...
	@{ trap "exit 130" INT; PATH="$(TOOLS):$$PATH" go test -tags e2e -count=1 -timeout 20m -json ./internal/e2e; \
		PATH="$(TOOLS):$$PATH" go test -count=1 -json -run TestFunction ./internal/image; } | \
		go run ./internal/e2e/report -need "$(NEED)" $(addprefix github.com/ageseal/ageseal/internal/,e2e image)

# Each program would wait a second at its end for a late race, and the stories start thousands.
race: $(TESTTOOLS) ## the same under the race detector, which needs a C compiler
	PATH="$(TOOLS):$$PATH" CGO_ENABLED=1 GORACE=atexit_sleep_ms=0 go test -race -timeout 1h $(TESTFLAGS) ./...

# What joins the two is run for what only it reaches.
cover: ## over 95 % of what reads the format and the manifests is run by tests, and each statement that isn't has a reason beside it
	go test -coverpkg=./crypt,./manifest -coverprofile=coverage.out ./crypt ./manifest ./secret
	go run ./internal/covercheck -least 95 coverage.out

vuln: .tools/.govulncheck-$(GOVULNCHECK_VERSION) ## known vulnerabilities that ageseal reaches; where the database can't be had, it says so and passes
	@out=$$(.tools/govulncheck ./... 2>&1) && { echo "$$out"; exit 0; }; \
	echo "$$out"; \
	case $$out in *"fetching vulnerabilities:"*) echo "not checked: the database of vulnerabilities can't be reached" ;; *) exit 1 ;; esac

build: ## bin/ageseal
	$(BUILD) -ldflags "$(LDFLAGS)" -o bin/ageseal ./cmd/ageseal

image: ## the function's container image: dist/image for a registry, dist/image.tar for docker load; the same commit, the same bytes
	@rm -rf dist/image dist/image.tar
	@for arch in $(IMAGE_ARCHS); do \
		GOOS=linux GOARCH=$$arch GOAMD64=v1 GOARM64=v8.0 $(BUILD) -ldflags "$(LDFLAGS)" -o dist/linux-$$arch/ageseal ./cmd/ageseal || exit 1; \
	done
	@go run ./internal/image -version "$(VERSION)" -revision "$$(git rev-parse HEAD)" -epoch "$(SOURCE_DATE_EPOCH)" \
		$(foreach arch,$(IMAGE_ARCHS),$(arch)=dist/linux-$(arch)/ageseal)

bench: build $(TESTTOOLS) $(BENCHTOOLS) ## beside kustomize, age, sops, KSOPS and kubeseal; rewrites the tables of docs/benchmarks.md and the plot
	CGO_ENABLED=0 go build -ldflags "-s -w" -o .tools/agelibrary ./internal/bench/agelibrary
	go run ./internal/bench -write docs/benchmarks.md -plot docs/benchmarks.svg $(BENCHFLAGS)

# A run that ends while an input is being tried may report "context deadline exceeded" and no input (golang/go#75804, mended in Go 1.27): it has found nothing.
fuzz: ## FUZZTIME for each fuzz target there is
	@list=$$(go test -list '^Fuzz' ./...) || { echo "$$list"; exit 1; }; \
	echo "$$list" | awk '/^Fuzz/ { f[++n] = $$1 } /^ok/ { for (i = 1; i <= n; i++) print $$2, f[i]; n = 0 }' | \
	while read -r pkg target; do \
		echo "fuzz $$pkg $$target"; \
		out=$$(go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$pkg" </dev/null) && { echo "$$out" | tail -3; continue; }; \
		echo "$$out"; \
		case $$out in *"Failing input"*) exit 1 ;; *"    context deadline exceeded"*) ;; *) exit 1 ;; esac; \
	done

lint: .tools/.golangci-lint-$(GOLANGCI_LINT_VERSION) .tools/.actionlint-$(ACTIONLINT_VERSION) ## Go, and the shell and YAML that CI systems run
	.tools/golangci-lint run
	go mod tidy -diff
	go test -count=1 -run 'TestShell|TestActionlint' ./internal/demo

snapshot: dist ## the release in dist/, checked, and made again elsewhere for comparison; nothing is published
	@go run ./internal/release check
	@go run ./internal/release again

dist: $(RELEASETOOLS)
	$(ORIGIN) .tools/goreleaser release $(RELEASE) --clean
	@$(MAKE) --no-print-directory image VERSION="$$(sed 's/.*"version":"\([^"]*\)".*/\1/' dist/metadata.json)"

reproducible: ## compares what is in dist/ with the same commit built anew from its sources, elsewhere: minutes
	GOCACHE="$$(mktemp -d)" go run ./internal/release again

# What archives and packages hold beside the program, and what has their SBOMs made. goreleaser runs it.
release-files: build
	@rm -rf .release && mkdir -p .release/completions
	@bin/ageseal completion bash > .release/completions/ageseal.bash && bin/ageseal completion zsh > .release/completions/_ageseal
	@bin/ageseal completion fish > .release/completions/ageseal.fish && bin/ageseal completion powershell > .release/completions/ageseal.ps1
	@go build -o .release/release ./internal/release && .release/release pages docs/man .release/man

tools: $(TESTTOOLS) .tools/.actionlint-$(ACTIONLINT_VERSION) .tools/.gitleaks-$(GITLEAKS_VERSION) ## what tests use, if it is there

$(TESTTOOLS):
	$(INSTALL) sigs.k8s.io/kustomize/kustomize/v5@$(KUSTOMIZE_VERSION)
	$(INSTALL) filippo.io/age/cmd/age@$(AGE_VERSION) filippo.io/age/cmd/age-keygen@$(AGE_VERSION) filippo.io/age/cmd/age-plugin-batchpass@$(AGE_VERSION)
	@touch $@

# Hundreds of modules each, for the benchmark alone, which goes on without the one that can't be had.
.tools/.sops-$(SOPS_VERSION):
	-$(INSTALL) github.com/getsops/sops/v3/cmd/sops@$(SOPS_VERSION) && touch $@

# The last that goes by this path: later ones moved, and do not install by go install.
.tools/.kubeseal-$(KUBESEAL_VERSION):
	-$(INSTALL) github.com/bitnami-labs/sealed-secrets/cmd/kubeseal@$(KUBESEAL_VERSION) && touch $@

# Not by go install: versions 4 of a module that does not say so in its path. This is v4.5.1.
.tools/.ksops-$(KSOPS_COMMIT):
	-@echo building KSOPS; rm -rf .tools/ksops-src && git init -q .tools/ksops-src && cd .tools/ksops-src && git fetch -q --depth 1 $(KSOPS_SOURCE) $(KSOPS_COMMIT) && \
		git checkout -q FETCH_HEAD && CGO_ENABLED=0 go build -trimpath -buildvcs=true -ldflags "-s -w" -o ../ksops . && cd ../.. && rm -rf .tools/ksops-src && touch $@

# These, too, are gone on without, and an old one does not stand for one that can't be had.
# One program that is three, by name. Without the version in it, kubectl finds the server to be of another age and refuses.
.tools/.cluster-$(KUBERNETES_VERSION):
	-rm -f "$(TOOLS)/kube-apiserver" && cd internal/e2e/cluster && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w $(foreach x,gitVersion=$(KUBERNETES_VERSION) \
		gitMajor=$(word 1,$(subst ., ,$(KUBERNETES_VERSION:v%=%))) gitMinor=$(word 2,$(subst ., ,$(KUBERNETES_VERSION))),-X k8s.io/component-base/version.$(x))" \
		-o "$(TOOLS)/kube-apiserver" . && ln -sf kube-apiserver "$(TOOLS)/etcd" && ln -sf kube-apiserver "$(TOOLS)/kubectl" && touch "$(CURDIR)/$@"

.tools/.kubeconform-$(KUBECONFORM_VERSION):
	-rm -f "$(TOOLS)/kubeconform" && GOBIN="$(TOOLS)" go install github.com/yannh/kubeconform/cmd/kubeconform@$(KUBECONFORM_VERSION) && touch $@

.tools/.argocd-$(ARGOCD_VERSION): $(wildcard internal/e2e/argocd/*)
	-rm -f "$(TOOLS)/argocd" && cd internal/e2e/argocd && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o "$(TOOLS)/argocd" . && touch "$(CURDIR)/$@"

.tools/.golangci-lint-$(GOLANGCI_LINT_VERSION):
	GOBIN="$(TOOLS)" go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	@touch $@

.tools/.govulncheck-$(GOVULNCHECK_VERSION):
	GOBIN="$(TOOLS)" go install golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION)
	@touch $@

.tools/.actionlint-$(ACTIONLINT_VERSION):
	GOBIN="$(TOOLS)" go install github.com/rhysd/actionlint/cmd/actionlint@$(ACTIONLINT_VERSION)
	@touch $@

.tools/.gitleaks-$(GITLEAKS_VERSION):
	GOBIN="$(TOOLS)" go install github.com/zricethezav/gitleaks/v8@$(GITLEAKS_VERSION)
	@touch $@

.tools/.goreleaser-$(GORELEASER_VERSION):
	GOBIN="$(TOOLS)" go install github.com/goreleaser/goreleaser/v2@$(GORELEASER_VERSION)
	@touch $@

.tools/.syft-$(SYFT_VERSION):
	GOBIN="$(TOOLS)" go install -ldflags "-X main.version=$(SYFT_VERSION:v%=%)" github.com/anchore/syft/cmd/syft@$(SYFT_VERSION)
	@touch $@

proof: ## all of it from a clean checkout, on a bare Debian where one can be made (root, debootstrap); writes docs/proof.md
	go run ./internal/proof $(PROOFFLAGS)

clean:
	rm -rf bin dist .release .tools
