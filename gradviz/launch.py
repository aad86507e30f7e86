"""The script that `gradviz app` hands to Streamlit when the package is installed without its repository."""

from gradviz.app import main

main()
