"""What was built → files of other tools: SAM and CloudFormation, Terraform, GitHub Actions, Make.

Takes settings and a manifest, gives texts.  Touches nothing: the command line writes them.
Never decides what is built, and never reads what another tool wrote.
"""
