# Development: Terraform does all of it, and the alias follows each apply.

include "root" {
  path = find_in_parent_folders("root.hcl")
}

inputs = {
  alias              = "live"
  log_retention_days = 7
  environment        = { STAGE = "dev" }

  layers = {
    layer = { name = "spectra-dependencies-dev" }
  }

  functions = {
    api-handler = { name = "spectra-api-handler-dev", memory_size = 512, timeout = 10 }
    worker      = { name = "spectra-worker-dev", memory_size = 1024, timeout = 60 }
    authorizer  = { name = "spectra-authorizer-dev", memory_size = 256, timeout = 10 }
  }
}
