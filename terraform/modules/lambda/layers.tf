# A zip that is too large for the request. The key names its content: the same bytes are sent once
resource "aws_s3_object" "this" {
  for_each = local.large

  bucket      = var.bucket
  key         = "${var.bucket_prefix}lamella/${each.value.sha256}.zip"
  source      = "${local.folder}/${each.value.file}"
  source_hash = each.value.sha256
  tags        = var.tags

  lifecycle {
    create_before_destroy = true
    # Its digest says what is in it, wherever it lies on this machine
    ignore_changes = [source]

    precondition {
      condition     = var.bucket != null
      error_message = "${each.value.file} has ${each.value.zipped} bytes, and a request takes 52428800: give `bucket`."
    }
  }
}

resource "aws_lambda_layer_version" "this" {
  for_each = local.layers

  layer_name               = each.value.name
  description              = each.value.description
  license_info             = each.value.licence
  compatible_runtimes      = each.value.runtimes
  compatible_architectures = [each.value.architecture]
  source_code_hash         = each.value.code_sha256

  filename  = contains(keys(local.large), "layer-${each.key}") ? null : "${local.folder}/${each.value.file}"
  s3_bucket = try(aws_s3_object.this["layer-${each.key}"].bucket, null)
  s3_key    = try(aws_s3_object.this["layer-${each.key}"].key, null)

  # An older version of a function is attached to the older version of the layer: without it there is no way back
  skip_destroy = true

  lifecycle {
    # Another path is no other layer: the digest tells. Without this, each machine would make a version of its own
    ignore_changes = [filename]

    precondition {
      condition     = fileexists("${local.folder}/${each.value.file}")
      error_message = "${local.folder}/${each.value.file} is missing: run `lamella build`."
    }
  }
}
