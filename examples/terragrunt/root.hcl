# What dev and prod have in common: where the state lies, the provider, and the module.
# Terragrunt reads this file through `include` in the folders below.

locals {
  environment = basename(get_original_terragrunt_dir())
  region      = "eu-central-1"

  # Where `lamella build` wrote the artifacts: `make -C ../spectra package-layer package-lambda`
  built = "${get_repo_root()}/examples/spectra/dist/lambda"
}

terraform {
  source = "${get_repo_root()}/terraform/modules//lambda"

  # The zips are built anew before each plan; where nothing changed that is a matter of milliseconds
  before_hook "build" {
    commands    = ["plan", "apply"]
    execute     = ["lamella", "build", "--locked"]
    working_dir = "${get_repo_root()}/examples/spectra"
  }
}

remote_state {
  backend = "s3"

  generate = {
    path      = "backend.tf"
    if_exists = "overwrite_terragrunt"
  }

  config = {
    bucket  = "spectra-terraform-${local.environment}"
    key     = "lambda.tfstate"
    region  = local.region
    encrypt = true
  }
}

generate "provider" {
  path      = "provider.tf"
  if_exists = "overwrite_terragrunt"
  contents  = <<-EOT
    provider "aws" {
      region = "${local.region}"
    }
  EOT
}

inputs = {
  manifest = "${local.built}/manifest.json"
  tags     = { project = "spectra", environment = local.environment }
}
