# Short names for the project's own commands; all they do is in xtask/.
# `make demo ARGS="--http 127.0.0.1:9090"` passes arguments on.

export PATH := $(or $(CARGO_HOME),$(HOME)/.cargo)/bin:$(PATH)
ARGS ?=

.PHONY: help demo test check bench bootstrap

help:
	@echo "make demo    the app, the buttons and the server of a demo yacht (installs what is missing)"
	@echo "make test    check and test everything, as continuous integration does"
	@echo "make check   the same without running the tests"
	@echo "make bench   measure press to crew on this machine"
	@echo "More: cargo xtask --help"

demo: bootstrap
	@cargo xtask demo $(ARGS)

test: bootstrap
	@cargo xtask test $(ARGS)

check: bootstrap
	@cargo xtask test --no-run $(ARGS)

bench: bootstrap
	@cargo xtask bench press $(ARGS)

bootstrap:
	@sh xtask/bootstrap.sh
