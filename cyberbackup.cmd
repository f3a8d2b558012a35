@echo off
rem Starts CyberBackup from a checkout, and installs what is missing first. The same steps as ./cyberbackup.
setlocal
set "HOME_DIR=%~dp0"
set "NODE_EXE=%HOME_DIR%node_modules\node\bin\node.exe"
set "STAMP=%HOME_DIR%node_modules\.package-lock.json"
set "LOG=%HOME_DIR%.cyberbackup\install.log"

rem Flags for Node. Tune them here.
set "NODE_FLAGS=--disable-warning=ExperimentalWarning --max-semi-space-size=4 --heap-growing-percent=15"
if "%~1"=="serve" set "NODE_FLAGS=%NODE_FLAGS% --max-semi-space-size=8 --heap-growing-percent=60"
if "%~1"=="gateway" set "NODE_FLAGS=%NODE_FLAGS% --heap-growing-percent=60"

if not exist "%NODE_EXE%" goto install
rem "up" serves the page: it is there, or what builds it is.
if "%~1"=="up" if not exist "%HOME_DIR%dist\web\index.html" if not exist "%HOME_DIR%node_modules\vite" goto install
if not exist "%STAMP%" goto install
rem xcopy /D /L lists the file only when it is newer than the stamp: "0 File(s)" means that nothing is stale.
xcopy /D /Y /L /R "%HOME_DIR%package-lock.json" "%STAMP%*" 2>nul | findstr /B /C:"0 " >nul
if not errorlevel 1 goto start

:install
where npm >nul 2>nul
if errorlevel 1 (
  echo cyberbackup: npm was not found, and it is needed once to install what CyberBackup runs on. 1>&2
  echo cyberbackup: Install Node.js 20 or later, which brings npm, then run the command again. 1>&2
  exit /b 1
)
if not exist "%HOME_DIR%.cyberbackup" mkdir "%HOME_DIR%.cyberbackup"
set "OMIT=--omit=dev"
if exist "%HOME_DIR%node_modules\typescript" set "OMIT="
if "%~1"=="up" set "OMIT="
echo cyberbackup: installing what it runs on, which is done once and takes about a minute. 1>&2
echo cyberbackup: (npm ci %OMIT%; the log is "%LOG%") 1>&2
pushd "%HOME_DIR%"
call npm ci %OMIT% --no-audit --no-fund >"%LOG%" 2>&1 <nul
set "NPM_EXIT=%ERRORLEVEL%"
popd
if not "%NPM_EXIT%"=="0" goto failed
if not exist "%NODE_EXE%" goto failed

:start
if not defined NODE_COMPILE_CACHE set "NODE_COMPILE_CACHE=%HOME_DIR%.cyberbackup\compile-cache"
"%NODE_EXE%" %NODE_FLAGS% "%HOME_DIR%src\cli\main.ts" %*
exit /b %ERRORLEVEL%

:failed
echo cyberbackup: the install failed; the whole log is "%LOG%" 1>&2
echo cyberbackup: Check the network and the disk space, then run the command again. 1>&2
exit /b 1
