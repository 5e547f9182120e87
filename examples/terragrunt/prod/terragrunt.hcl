# Production: Terraform makes the functions, `lamella deploy` changes code and layers, proves them and moves the alias.

include "root" {
  path = find_in_parent_folders("root.hcl")
}

inputs = {
  deployed_by_lamella = true
  alias               = "live"
  log_retention_days  = 90
  log_format          = "JSON"
  tracing_mode        = "Active"
  environment         = { STAGE = "prod" }

  vpc = {
    subnet_ids         = ["subnet-0a1b2c3d4e5f60718", "subnet-0b1c2d3e4f5061728"]
    security_group_ids = ["sg-0c1d2e3f405162738"]
  }

  functions = {
    api-handler = {
      memory_size             = 1024
      timeout                 = 10
      provisioned_concurrency = 2
    }
    worker = {
      memory_size                    = 2048
      timeout                        = 60
      reserved_concurrent_executions = 20
      ephemeral_storage              = 1024
    }
    authorizer = { memory_size = 256, timeout = 10 }
  }
}
