# Written by `lamella export make`, which writes it anew; for a Makefile's `include lamella.mk`
LAMELLA ?= lamella
# The environment of the configuration: `make deploy LAMELLA_ENV=prod`
LAMELLA_ENV ?=
# Further words for `lamella build` and `lamella deploy`: in CI `BUILD=--locked DEPLOY=--auto-approve`
BUILD ?=
DEPLOY ?=
# Where the configuration is, wherever make was called
lamella-folder := $(dir $(lastword $(MAKEFILE_LIST)))
lamella = cd '$(subst ','\'',$(lamella-folder))' && $(LAMELLA)
lamella-env = $(if $(LAMELLA_ENV), --env $(LAMELLA_ENV))

.PHONY: package-layer
package-layer: ## build the layers
	$(lamella) build layer $(BUILD)

.PHONY: package-layer-docker
package-layer-docker: ## build the layers, and what has no wheel in Lambda's build image
	$(lamella) build layer --container $(BUILD)

.PHONY: package-lambda
package-lambda: ## build the functions
	$(lamella) build api-handler worker authorizer $(BUILD)

.PHONY: validate-layer
validate-layer: ## prove that the layers import and run, and that Lambda takes them
	$(lamella) check --layers-only

.PHONY: publish-layer
publish-layer: ## publish the layers; no function is changed
	$(lamella) deploy --layers-only$(lamella-env) $(DEPLOY)

.PHONY: deploy
deploy: ## attach, prove and shift aliases, or take all of it back
	$(lamella) deploy$(lamella-env) $(DEPLOY)

.PHONY: verify
verify: ## compare what users meet with what was built, and invoke it
	$(lamella) verify$(lamella-env)
