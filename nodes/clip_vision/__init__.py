"""What CLIP says of pictures."""
