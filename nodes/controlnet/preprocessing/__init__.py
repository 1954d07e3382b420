"""Pictures for ControlNets to follow, made without any weights."""
