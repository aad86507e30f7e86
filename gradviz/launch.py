"""The script that `gradviz app` hands to Streamlit when the package is installed without its repository."""

if __name__ == "__main__":  # what Streamlit runs for every visitor, at every change
    from gradviz.app import main

    main()
else:  # what the server is started from
    from streamlit.starlette import App

    from gradviz.app.serving import serving

    app = App(__file__, **serving())
